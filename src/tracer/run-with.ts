/**
 * `storage.run(context, fn, argument)` at a quarter of its price, where Node.js keeps what storages hold in
 * frames.
 *
 * A frame is a map of all storages' values, and takes the place of the one before at each change. `run` makes
 * two, one to enter and one to go back, and each copies the one before by an iterator. Going back to the
 * frame that was there says the same, as long as `fn` has left no other; and where that one holds this
 * storage alone, nothing has to be copied into the next. 300 ns and 75 ns on Node.js 24; of a request with 3
 * child spans at 2,000 a second, where all of it is cold, 3.2 of 20 µs were `run`.
 *
 * Node.js shows its class of frames on resources alone, and promises nothing of it: what is used of it is
 * tried first, and without it `run` is called.
 *
 * @module
 */
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/** A map of storages and their values. */
interface Frame {
  readonly size: number;
}

/** Node's class of them. */
interface Frames {
  current(): Frame | undefined;
  set(frame: Frame | undefined): void;
}

const FRAMES = knownFrames();

/** Runs `fn` with `active` in `storage`. What it enters in other storages stays, as with `run`. */
export function runWith<Store, Argument, Result>(
  storage: AsyncLocalStorage<Store>,
  active: Store,
  fn: (argument: Argument) => Result,
  argument: Argument,
): Result {
  if (FRAMES === undefined) return storage.run(active, fn, argument);
  const before = storage.getStore();
  const frame = FRAMES.current();
  if (before !== undefined && frame?.size === 1) FRAMES.set(undefined);
  storage.enterWith(active);
  const own = FRAMES.current();
  try {
    return fn(argument);
  } finally {
    if (FRAMES.current() === own) FRAMES.set(frame);
    else storage.enterWith(before as Store);
  }
}

function knownFrames(): Frames | undefined {
  const probe = new AsyncLocalStorage<object>();
  try {
    return probe.run({}, () => framesOf(probe));
  } catch {
    return undefined;
  } finally {
    probe.disable();
  }
}

/** Within the probe's `run`. */
function framesOf(probe: AsyncLocalStorage<object>): Frames | undefined {
  const resource = new AsyncResource('forktrace.probe', { requireManualDestroy: true });
  resource.emitDestroy();
  const value = probe.getStore()!;
  const holder = resource as unknown as Record<symbol, unknown>;
  const frame = Object.getOwnPropertySymbols(resource)
    .map((key) => holder[key])
    .find((one) => (one as Map<unknown, unknown> | undefined)?.get?.(probe) === value);
  const frames = frame?.constructor as (Partial<Frames> & object) | undefined;
  if (typeof frames?.current !== 'function' || typeof frames.set !== 'function') return undefined;
  return areAsKnown(frames as Frames, frame as Frame, probe) ? (frames as Frames) : undefined;
}

/** Whether frames are entered and left as {@link runWith} does it. */
function areAsKnown(frames: Frames, frame: Frame, probe: AsyncLocalStorage<object>): boolean {
  const value = probe.getStore();
  const other = {};
  if (frames.current() !== frame || !Number.isInteger(frame.size)) return false;
  try {
    frames.set(undefined);
    if (probe.getStore() !== undefined) return false;
    probe.enterWith(other);
    const own = frames.current();
    if (own === frame || own?.size !== 1 || probe.getStore() !== other) return false;
  } finally {
    frames.set(frame);
  }
  return probe.getStore() === value && frames.current() === frame;
}
