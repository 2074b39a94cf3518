import type { ForktraceError } from '../errors.js';
import { writeToStderr } from '../process/announce.js';
import { describeFailedStart } from '../process/failed-start.js';

/**
 * A wrong variable ends the process before it listens. Not by an error in the app's call, which may be caught
 * there: half of the app's processes would then be up, and none traced.
 */
export function stopTheStart(error: ForktraceError): never {
  writeToStderr(describeFailedStart(error));
  process.exit(1);
}
