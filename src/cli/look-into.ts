/**
 * The processes that `stack` and `profile` look into: workers of a coordinator, which opens their inspectors,
 * or any Node.js process by its pid.
 *
 * @module
 */
import { ControlClient } from '../coordinator/control-client.js';
import type { ControlCommands } from '../coordinator/control-protocol.js';
import { ForktraceError } from '../errors.js';
import { openInspector } from '../forensics/open-inspector.js';
import { processExists, runningCoordinators } from '../process/run-directory.js';
import { runDirectory } from '../process/run-path.js';

const OPENS_WITHIN_MS = 3000;

export interface LookedInto {
  slot: number | undefined;
  pid: number;
  /** `wasOpen`: by somebody else, and is to stay so. */
  open(): Promise<{ url: string; wasOpen: boolean }>;
}

/**
 * @param target a slot, or a pid; undefined: all workers
 * @throws ForktraceError with code FORKTRACE_NO_COORDINATOR, FORKTRACE_SEVERAL_COORDINATORS or
 * FORKTRACE_NO_INSPECTOR
 */
export async function lookedInto(target: number | undefined, { pid }: { pid?: number }): Promise<LookedInto[]> {
  const directory = runDirectory();
  const coordinators = pid === undefined ? runningCoordinators(directory) : [pid];
  const workers: LookedInto[] = [];
  for (const coordinator of coordinators) workers.push(...(await workersOf(coordinator, directory)));
  const byPid = workers.find((worker) => worker.pid === target);
  if (byPid !== undefined) return [byPid];
  const bySlot = workers.filter(({ slot }) => target === undefined || slot === target);
  if (coordinators.length > 1 && bySlot.length > 0) {
    throw new ForktraceError('FORKTRACE_SEVERAL_COORDINATORS', [coordinators.join(', ')]);
  }
  if (bySlot.length > 0) return bySlot;
  if (target === undefined) {
    const reason =
      coordinators.length === 0 ? `none runs (looked in ${directory})` : 'the one that runs has no running worker';
    throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [reason]);
  }
  if (!processExists(target)) {
    throw new ForktraceError('FORKTRACE_NO_INSPECTOR', [target, 'it is neither a slot nor a pid']);
  }
  const open = () => openInspector(target, AbortSignal.timeout(OPENS_WITHIN_MS));
  return [{ slot: undefined, pid: target, open }];
}

async function workersOf(coordinator: number, directory: string): Promise<LookedInto[]> {
  const { workers } = await ask(coordinator, directory, 'status');
  return workers.flatMap(({ slot, pid, state }) => {
    if (pid === undefined || state === 'draining') return [];
    const open = async () => ({ url: (await ask(coordinator, directory, 'inspector', { slot })).url, wasOpen: false });
    return [{ slot, pid, open }];
  });
}

async function ask<Command extends 'status' | 'inspector'>(
  coordinator: number,
  directory: string,
  command: Command,
  body?: ControlCommands[Command]['body'],
): Promise<ControlCommands[Command]['result']> {
  const client = new ControlClient(coordinator, directory);
  try {
    return await client.ask(command, body);
  } finally {
    client.close();
  }
}
