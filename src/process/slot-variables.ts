/** The coordinator sets it for one worker. The worker takes it out of `process.env` before the app loads. */
export const SLOT_VARIABLE = 'FORKTRACE_SLOT';
export const INCARNATION_VARIABLE = 'FORKTRACE_INCARNATION';
