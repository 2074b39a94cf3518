/**
 * `forktrace ls`: what forktrace traces for this user on this machine.
 *
 * @module
 */
import { ControlClient } from '../coordinator/control-client.js';
import { runningCoordinators, tracedProcesses } from '../process/run-directory.js';
import { runDirectory } from '../process/run-path.js';
import { print } from './arguments.js';
import { duration } from './status-view.js';

interface Listed {
  kind: 'cluster' | 'pm2' | 'process';
  name: string;
  pid: number;
  /** Of a cluster, how many are ready; of pm2, 1 for each of its processes. */
  workers: number;
  uptimeMs: number;
  state: string;
}

export async function list(options: { json?: boolean }): Promise<void> {
  const directory = runDirectory();
  const clusters = await Promise.all(runningCoordinators(directory).map((pid) => listedCluster(pid, directory)));
  const others = tracedProcesses(directory).map(({ pid, serviceName, manager, slot, startedAtMs }): Listed => {
    const kind = manager === 'pm2' ? 'pm2' : 'process';
    const state = slot === undefined ? 'runs' : `slot ${slot}`;
    return { kind, name: serviceName, pid, workers: 1, uptimeMs: Math.max(0, Date.now() - startedAtMs), state };
  });
  const all = [...clusters, ...others];
  print(all, all.length === 0 ? `nothing runs (looked in ${directory})` : table(all), options);
}

async function listedCluster(pid: number, directory: string): Promise<Listed> {
  const unknown: Listed = { kind: 'cluster', name: '?', pid, workers: 0, uptimeMs: 0, state: 'does not answer' };
  try {
    const client = new ControlClient(pid, directory);
    const { serviceName, ready, size, uptimeMs, phase } = await client.ask('status').finally(() => client.close());
    return { ...unknown, name: serviceName, workers: ready, uptimeMs, state: `${phase}, ${ready}/${size} ready` };
  } catch {
    return unknown;
  }
}

function table(all: readonly Listed[]): string {
  const rows = [
    ['kind', 'name', 'pid', 'workers', 'up', 'state'],
    ...all.map(({ kind, name, pid, workers, uptimeMs, state }) => {
      return [kind, name, String(pid), String(workers), duration(uptimeMs), state];
    }),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
