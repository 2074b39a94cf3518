import { HEARTBEAT_MS } from '../process/worker-messages.js';
import type { DeathRecord } from './death-record.js';
import type { WorkerView } from './handle.js';
import type { Incarnation } from './incarnation.js';
import type { Slot } from './slot.js';
import type { WorkerProcess } from './worker-process.js';

/** Without a heartbeat for so long, a worker is shown as blocked; the watchdog is more patient. */
const BLOCKED_AFTER_MS = 2.5 * HEARTBEAT_MS;

/** One view per process, and one per slot without a process. */
export function workerViews(
  slots: readonly Slot[],
  deaths: DeathRecord,
  processOf: (life: { slot: number; incarnation: number }) => WorkerProcess | undefined,
): WorkerView[] {
  const now = performance.now();
  return slots.flatMap((slot): WorkerView[] => {
    const idle: WorkerView = {
      slot: slot.slot,
      incarnation: undefined,
      pid: undefined,
      state: slot.phase,
      uptimeMs: undefined,
      restarts: slot.restarts,
      restartsLastHour: deaths.unplannedLastHour(slot.slot),
      lastExit: deaths.last(slot.slot),
      address: undefined,
      debugged: false,
      requestsPerSecond: 0,
      failuresPerSecond: 0,
      stats: undefined,
    };
    if (slot.lives.length === 0) return [idle];
    return slot.lives.map((life) => {
      const process = processOf({ slot: slot.slot, incarnation: life.incarnation });
      return {
        ...idle,
        incarnation: life.incarnation,
        pid: process?.pid,
        state: stateOf(life, now),
        uptimeMs: now - life.forkedAt,
        address: process?.address,
        debugged: life.debugged,
        requestsPerSecond: process?.requestsPerSecond ?? 0,
        failuresPerSecond: process?.failuresPerSecond ?? 0,
        stats: process?.stats,
      };
    });
  });
}

function stateOf({ phase, seenAt, debugged }: Incarnation, now: number): WorkerView['state'] {
  if (phase === 'ready') return now - seenAt > BLOCKED_AFTER_MS && !debugged ? 'blocked' : 'ready';
  return phase === 'starting' ? 'starting' : 'draining';
}
