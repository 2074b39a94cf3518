/** Set by the coordinator for one worker, taken out of `process.env` by the worker before the app loads. */
export const SLOT_VARIABLE = 'FORKTRACE_SLOT';
export const INCARNATION_VARIABLE = 'FORKTRACE_INCARNATION';
