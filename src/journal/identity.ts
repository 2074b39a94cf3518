/**
 * Which process, and which thread of it, wrote a file, and whether that is still there.
 *
 * @module
 */
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { UNKNOWN_BOOT, whereabouts } from '../process/whereabouts.js';
import type { WriterIdentity } from './format.js';
import { randomHexAtStart } from './random-bytes.js';

/** A writer that cannot be looked up is dead when its lease is older, in milliseconds. */
export const LEASE_TIMEOUT_MS = 30_000;
/** How often a writer renews its lease, in milliseconds. */
export const LEASE_RENEWAL_MS = 5_000;

/**
 * `/proc/thread-self` is `<pid>/task/<thread>`: read in the thread itself, as every synchronous call of `fs`
 * is.
 */
function ownThread(): number {
  return Number(tryTo(() => readlinkSync('/proc/thread-self'))?.split('/')[2] ?? 0);
}

/** A fresh identity for a writer in this thread. */
export function newWriterIdentity(slot: number | undefined): WriterIdentity {
  const thread = ownThread();
  return {
    id: randomHexAtStart(16),
    pid: process.pid,
    thread,
    processStart: startOf(stateOf({ pid: process.pid, thread })),
    ...whereabouts(),
    slot,
  };
}

/**
 * Whether a writer's process, or its worker thread, has ended. One in our own pid namespace and boot is
 * looked up by its ids and start time, so that one which blocks is not taken for dead; any other is dead when
 * its lease is {@link LEASE_TIMEOUT_MS} old.
 *
 * @param leaseMs the newest lease among the writer's files, in milliseconds since the epoch
 */
export function isWriterDead(writer: WriterIdentity, leaseMs: number, nowMs = Date.now()): boolean {
  const { pidNamespace, bootId } = whereabouts();
  const known = pidNamespace !== 0 && bootId !== UNKNOWN_BOOT && writer.processStart !== 0;
  if (known && writer.pidNamespace === pidNamespace && writer.bootId === bootId) {
    return hasEnded(writer);
  }
  // A lease from the future is as wrong as an old one: a clock was set back.
  return !(Math.abs(nowMs - leaseMs) <= LEASE_TIMEOUT_MS);
}

/**
 * Whether the writer ran where we do, so that a path of its is one of ours: no other machine or container.
 */
export function isFromHere({ pidNamespace, bootId }: WriterIdentity): boolean {
  const here = whereabouts();
  return pidNamespace === here.pidNamespace && bootId === here.bootId;
}

/** Whether the writer's monotonic clock is this machine's, since the same boot. */
export function hasSameClock({ bootId }: WriterIdentity): boolean {
  return bootId !== UNKNOWN_BOOT && bootId === whereabouts().bootId;
}

/** Whether a thread of this pid namespace and boot has ended: false, too, where that cannot be looked up. */
export function hasEnded(writer: WriterIdentity): boolean {
  if (writer.processStart === 0) return false;
  const state = stateOf(writer);
  // A reader without a free descriptor cannot look: it takes nobody for dead.
  if (state === 'unreadable') return false;
  return state === 'gone' || state.start !== writer.processStart || state.ended;
}

/** Start time of a thread, and whether it is a zombie: dead, and not waited for yet. */
type ThreadState = { start: number; ended: boolean } | 'gone' | 'unreadable';

function startOf(state: ThreadState): number {
  return typeof state === 'object' ? state.start : 0;
}

/** More than all fields of a stat file take. */
const statBytes = Buffer.alloc(1024);

/** By single calls of the system: whoever asks does so often, for as long as the writer lives. */
function stateOf({ pid, thread }: Pick<WriterIdentity, 'pid' | 'thread'>): ThreadState {
  let stat: string;
  try {
    // Of the main thread where the thread is not known, which has the process's ids.
    const fd = openSync(`/proc/${pid}/task/${thread || pid}/stat`, 'r');
    try {
      stat = statBytes.toString('latin1', 0, readSync(fd, statBytes, 0, statBytes.length, 0));
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ESRCH' ? 'gone' : 'unreadable';
  }
  // The command name is in parentheses and may hold spaces and parentheses itself: proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ', STAT_START + 1);
  return { start: Number(fields[STAT_START]), ended: fields[0] === 'Z' || fields[0] === 'X' };
}

/** Index of the start time among the fields behind the command name. */
const STAT_START = 19;

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
