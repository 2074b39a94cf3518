/** Preload: `node --import forktrace/register app.js`. @module */
export {};
