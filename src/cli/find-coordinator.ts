import { ControlClient } from '../coordinator/control-client.js';
import { ForktraceError } from '../errors.js';
import { checkRunDirectory, processExists, runningCoordinators } from '../process/run-directory.js';
import { runDirectory } from '../process/run-path.js';

/**
 * The one coordinator that is meant.
 *
 * @throws ForktraceError with code FORKTRACE_NO_COORDINATOR, or FORKTRACE_SEVERAL_COORDINATORS
 */
export function findCoordinator({ pid }: { pid?: number }): ControlClient {
  const directory = runDirectory();
  if (process.env.FORKTRACE_RUN_DIR === undefined) checkRunDirectory(directory);
  if (pid !== undefined) {
    if (!processExists(pid)) throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [`no process has pid ${pid}`]);
    return new ControlClient(pid, directory);
  }
  const pids = runningCoordinators(directory);
  if (pids.length === 0) throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [`none runs (looked in ${directory})`]);
  if (pids.length > 1) throw new ForktraceError('FORKTRACE_SEVERAL_COORDINATORS', [pids.join(', ')]);
  return new ControlClient(pids[0]!, directory);
}
