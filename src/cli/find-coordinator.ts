import { ControlClient } from '../coordinator/control-client.js';
import { checkRunDirectory, runDirectory, runningCoordinators } from '../coordinator/run-directory.js';
import { ForktraceError } from '../errors.js';

/**
 * The one coordinator that is meant.
 *
 * @throws ForktraceError with code FORKTRACE_NO_COORDINATOR, or FORKTRACE_SEVERAL_COORDINATORS
 */
export async function findCoordinator({ pid }: { pid?: number }): Promise<ControlClient> {
  const directory = runDirectory();
  if (process.env.FORKTRACE_RUN_DIR === undefined) checkRunDirectory(directory);
  if (pid !== undefined) return ControlClient.connect(pid, directory);
  const pids = runningCoordinators(directory);
  if (pids.length === 0) throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [`none runs (looked in ${directory})`]);
  if (pids.length > 1) throw new ForktraceError('FORKTRACE_SEVERAL_COORDINATORS', [pids.join(', ')]);
  return ControlClient.connect(pids[0]!, directory);
}
