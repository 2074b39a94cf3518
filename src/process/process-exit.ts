import { type Check, isNumber, isText, orNothing } from './message-parser.js';

/** How a process ended, as its parent learns it. Both fields are null when nobody knows. */
export interface ProcessExit {
  /** Exit code; null when a signal ended the process. */
  code: number | null;
  /** The signal that ended the process; null when it exited. */
  signal: NodeJS.Signals | null;
}

/** "died of SIGKILL", "exited with code 7". */
export function describeExit({ code, signal }: ProcessExit): string {
  return signal ? `died of ${signal}` : `exited with code ${code}`;
}

/** Checks of the two fields, for messages that say how a process ended. */
export const exitChecks: { code: Check; signal: Check } = { code: orNothing(isNumber), signal: orNothing(isText) };
