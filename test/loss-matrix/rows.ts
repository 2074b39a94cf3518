/**
 * What happens to a cluster after 100 requests, with some more in flight.
 *
 * @module
 */
import type { Answer } from '../endpoint/answer.js';
import type { World } from './world.js';

export interface Row {
  name: string;
  /** Before the cluster starts. */
  before?(world: World): Promise<unknown> | unknown;
  /** Between the start and the hundred requests. */
  started?(world: World): Promise<unknown> | unknown;
  happen(world: World): Promise<unknown> | unknown;
  /** Exit code or signal of the worker that it happens to. */
  worker?: number | NodeJS.Signals;
  /** The whole cluster ends. */
  ends?: boolean;
  /** Needs forktrace's supervision or shipper. */
  forktrace?: 'any' | 'journal';
  /** At least once: what was being sent is sent again. */
  mayRepeat?: boolean;
  /** Without news until the rest counts as lost: longer where an exporter backs off before it tries again. */
  silenceMs?: number;
}

const deed = (name: string, path: string, worker: number | NodeJS.Signals, more: Partial<Row> = {}): Row => ({
  name,
  worker,
  happen: (world) => world.deed(path),
  ...more,
});
const nothing = () => {};
const answers = (name: string, answer: Answer, times: number): Row => ({
  name,
  started: ({ endpoint }) => endpoint.answerWith(answer, times),
  happen: nothing,
  silenceMs: 20_000,
});

export const rows: readonly Row[] = [
  { name: 'SIGTERM', ends: true, happen: ({ cluster }) => cluster.kill('SIGTERM') },
  { name: 'SIGINT', ends: true, happen: ({ cluster }) => cluster.kill('SIGINT') },
  { name: 'SIGHUP: reload', forktrace: 'any', happen: ({ cluster }) => cluster.kill('SIGHUP') },
  deed('`worker.disconnect()`', 'disconnect', 0),
  deed('`process.exit(0)` in a handler', 'exit-0', 0),
  deed('`process.exit(1)` in a handler', 'exit-1', 1),
  deed('uncaught exception', 'throw', 1),
  deed('unhandled rejection', 'reject', 1),
  { name: 'SIGKILL of a worker', worker: 'SIGKILL', happen: ({ pids }) => process.kill(pids[0]!, 'SIGKILL') },
  deed('`process.abort()`', 'abort', 'SIGABRT'),
  deed('heap out of memory', 'oom', 'SIGABRT'),
  deed('endless loop, then the watchdog', 'block', 'SIGKILL', { forktrace: 'any' }),
  { name: 'SIGKILL of the coordinator', ends: true, happen: ({ cluster }) => cluster.kill('SIGKILL') },
  { name: 'SIGKILL of the shipper', forktrace: 'journal', mayRepeat: true, happen: (world) => world.killShipper() },
  {
    name: 'SIGKILL of all at once, then a restart',
    mayRepeat: true,
    async happen(world) {
      world.killShipper();
      world.cluster.killGroup('SIGKILL');
      await world.cluster.waitForExit();
      await world.start();
    },
  },
  {
    name: 'Collector down at start',
    before: ({ endpoint }) => endpoint.stop(),
    happen: ({ endpoint }) => endpoint.restart(),
  },
  {
    name: 'Collector down for 10 s',
    silenceMs: 20_000,
    started: ({ endpoint }) => endpoint.stop(),
    async happen({ endpoint }) {
      await new Promise((resolve) => setTimeout(resolve, 10_000));
      await endpoint.restart();
    },
  },
  answers('UNAVAILABLE, 5 times', { answer: 'unavailable' }, 5),
  answers('RESOURCE_EXHAUSTED with RetryInfo, 3 times', { answer: 'resource-exhausted', retryAfterMs: 300 }, 3),
  answers('partial success: what is rejected is not sent again', { answer: 'partial-success', rejected: 1 }, 1),
];
