import type { ForktraceError } from '../errors.js';
import { writeToStderr } from '../process/announce.js';
import { describeFailedStart } from '../process/failed-start.js';

/**
 * A wrong variable ends the process before it listens. An error thrown in the app's call would not do: the
 * app may catch it there, and some of its processes would run untraced.
 */
export function stopTheStart(error: ForktraceError): never {
  writeToStderr(describeFailedStart(error));
  process.exit(1);
}
