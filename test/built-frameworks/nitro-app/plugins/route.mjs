import { watchRoutes } from 'forktrace';
import { defineNitroPlugin } from 'nitropack/runtime';

export default defineNitroPlugin((nitroApp) => watchRoutes(nitroApp.h3App));
