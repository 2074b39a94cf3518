import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

/**
 * Keeps one tick object of `process.nextTick` alive, and with it the hidden class of all of them.
 *
 * V8 holds a hidden class weakly. When a full garbage collection finds no waiting tick, as at the end of a
 * server's start, the class is freed. The next one may have other field representations, which a later tick
 * changes. From then on V8 treats the object literal in `nextTick` as megamorphic, for the life of the
 * process: every property of every tick is a call into the runtime, about 4 µs for the six ticks of a request
 * on Node 24. It happens in untraced processes, too, but tracing makes a start long enough for a full
 * collection.
 */
export function keepTickObject(): void {
  process.nextTick(() => kept.push(executionAsyncResource()));
}
