/** Ways in which a worker blocks or dies, as the stuck cluster's paths name them. */
export interface Way {
  path: string;
  /** As the page says it. */
  about: string;
  /** The block may end before the watchdog kills. */
  mayLive?: true;
  /** After the requests have arrived: what happens from outside. */
  act?: 'kill' | 'stop the cluster';
}

export const ways: readonly Way[] = [
  { path: 'loop', about: 'endless loop, killed by the watchdog' },
  { path: 'regex', about: 'catastrophic regular expression, killed by the watchdog' },
  { path: 'wait', about: '`Atomics.wait`, killed by the watchdog' },
  { path: 'timer', about: 'endless loop in a timer of an answered request, killed by the watchdog' },
  { path: 'loop?ms=2000', about: 'loop of 2 s: blocks, and goes on', mayLive: true },
  { path: 'exec', about: '`execSync`, killed by the watchdog' },
  { path: 'hash', about: '`pbkdf2Sync`, killed by the watchdog' },
  { path: 'sort', about: 'sort of 8 million numbers', mayLive: true },
  { path: 'json', about: '`JSON.parse` of 150 MB', mayLive: true },
  { path: 'stopped', about: 'SIGSTOP, killed by the watchdog' },
  { path: 'heap', about: 'heap out of memory' },
  { path: 'leak', about: 'heap out of memory, with `forensics.heapOutOfMemory`' },
  { path: 'patient', about: '`kill -9` from outside', act: 'kill' },
  { path: 'abort', about: '`process.abort()`' },
  { path: 'segv', about: 'SIGSEGV' },
  { path: 'throw', about: 'throw in a timer' },
  { path: 'reject', about: 'unhandled rejection' },
  { path: 'exit', about: '`process.exit(7)` in a handler' },
  { path: 'deadlock', about: 'a promise that never resolves; the cluster is stopped', act: 'stop the cluster' },
];
