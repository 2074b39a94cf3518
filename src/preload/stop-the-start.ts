import { writeSync } from 'node:fs';
import type { ForktraceError } from '../errors.js';
import { describeFailedStart } from '../process/failed-start.js';

/**
 * A wrong variable ends the process before it listens. Not by an error in the app's call, which may be caught
 * there: half of the app's processes would then be up, and none traced.
 */
export function stopTheStart(error: ForktraceError): never {
  try {
    writeSync(2, describeFailedStart(error));
  } catch {
    // Nobody reads it.
  }
  process.exit(1);
}
