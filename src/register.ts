/** Preload: `node --import forktrace/register app.js`. @module */
import { preload } from './preload/preload.js';

preload(globalThis);
