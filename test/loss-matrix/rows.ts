/**
 * What happens to two workers after 100 requests, with some more in flight.
 *
 * @module
 */
import type { Answer } from '../endpoint/answer.js';
import { waitFor } from '../process/wait-for.js';
import type { World } from './world.js';

export interface Row {
  name: string;
  /** Under pm2, instead of as a cluster. */
  pm2?: boolean;
  /** Before the app starts. */
  before?(world: World): Promise<unknown> | unknown;
  /** Between the start and the hundred requests. */
  started?(world: World): Promise<unknown> | unknown;
  happen(world: World): Promise<unknown> | unknown;
  /**
   * Whose end is compared with that of the untraced app: the whole cluster's, or that of the worker it
   * happens to.
   */
  ends?: 'all' | 'worker';
  /** Where the untraced app does not end so, what it must be, and why. */
  insteadOfUntraced?: { exit: string; because: string };
  /** A worker is told to stop, and so has pm2's 1,600 ms. */
  told?: boolean;
  /** Needs forktrace's supervision, or its journal. */
  needs?: 'forktrace' | 'journal';
  /** At least once: what was being sent is sent again. */
  mayRepeat?: boolean;
  /** The journal cannot take all: what it has said to be lost counts as reported. */
  losesSome?: boolean;
  /** Without news until the rest counts as lost: longer where an exporter backs off before it tries again. */
  silenceMs?: number;
  /** Added to the contestant's configuration. */
  journal?: object;
  supervise?: object;
}

const deed = (name: string, path: string, more: Partial<Row> = {}): Row => ({
  name,
  ends: 'worker',
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
/** Small files, so that the hundred requests need new ones. */
const smallFiles = { segmentBytes: 16_384, inFlight: 16 };
const underPm2 = (name: string, happen: Row['happen'], more: Partial<Row> = {}): Row => ({
  name: `pm2: ${name}`,
  pm2: true,
  ends: 'all',
  happen,
  ...more,
});
const pm2Command = (command: string): Row =>
  underPm2(command, ({ pm2 }) => pm2.command(command, 'app'), { told: true });

export const rows: readonly Row[] = [
  { name: 'SIGTERM', ends: 'all', told: true, happen: ({ cluster }) => cluster.kill('SIGTERM') },
  { name: 'SIGINT', ends: 'all', told: true, happen: ({ cluster }) => cluster.kill('SIGINT') },
  {
    name: 'SIGHUP: reload under load',
    needs: 'forktrace',
    happen: (world) =>
      world.underLoad(async () => {
        world.cluster.kill('SIGHUP');
        await waitFor(() => world.deaths.length === world.pids.length, 'the end of the old workers');
      }),
  },
  deed('`worker.disconnect()`', 'disconnect', { told: true }),
  deed('`process.exit(0)` in a handler', 'exit-0'),
  deed('`process.exit(1)` in a handler', 'exit-1'),
  deed('uncaught exception', 'throw'),
  deed('unhandled rejection', 'reject'),
  { name: 'SIGKILL of a worker', ends: 'worker', happen: ({ pids }) => process.kill(pids[0]!, 'SIGKILL') },
  deed('`process.abort()`', 'abort'),
  deed('heap out of memory', 'oom'),
  deed('endless loop, then the watchdog', 'block', {
    needs: 'forktrace',
    supervise: { heartbeatTimeoutMs: 3000 },
    insteadOfUntraced: { exit: 'SIGKILL', because: 'without the watchdog it blocks for ever' },
  }),
  { name: 'SIGKILL of the coordinator', ends: 'all', told: true, happen: ({ cluster }) => cluster.kill('SIGKILL') },
  { name: 'SIGKILL of the shipper', needs: 'journal', mayRepeat: true, happen: (world) => world.killShipper() },
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
  {
    name: "the journal's disk is full, then SIGTERM",
    needs: 'journal',
    journal: smallFiles,
    losesSome: true,
    ends: 'all',
    told: true,
    before: (world) => world.giveJournalADisk('4m'),
    // Some spans more in write mode, but no file of mmap mode.
    started: (world) => world.fillDisk(12_288),
    happen: ({ cluster }) => cluster.kill('SIGTERM'),
  },
  {
    name: 'journal files may not grow (RLIMIT_FSIZE), then SIGTERM',
    needs: 'journal',
    journal: smallFiles,
    losesSome: true,
    ends: 'all',
    told: true,
    started: (world) => world.limitFileSize(8192),
    happen: ({ cluster }) => cluster.kill('SIGTERM'),
  },
  pm2Command('stop'),
  pm2Command('restart'),
  underPm2(
    'reload under load',
    (world) =>
      world.underLoad(async () => {
        await world.pm2.command('reload', 'app');
      }),
    { told: true },
  ),
  pm2Command('delete'),
  underPm2('SIGKILL of one worker', ({ pids }) => process.kill(pids[0]!, 'SIGKILL'), { ends: 'worker' }),
  underPm2('SIGKILL of the daemon', ({ pm2 }) => process.kill(pm2.daemonPid, 'SIGKILL'), { told: true }),
];
