import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCrashLoop } from '#src/coordinator/crash-loop-report.js';
import { RunningCluster, until } from './running-cluster.js';

test('causes are grouped, the most frequent first, with what to do about it', () => {
  const death = (cause: 'exit' | 'heap_out_of_memory', where?: string) => ({ cause, where, atMs: 0 });
  const deaths = [death('exit'), death('heap_out_of_memory', 'at fill, /app/cache.js:7'), death('exit')];
  assert.equal(
    describeCrashLoop(deaths, '/journal/shop'),
    ' The last 3 deaths: 2 × exit, 1 × heap_out_of_memory (at fill, /app/cache.js:7). What to do: look for what calls process.exit. `forktrace inspect /journal/shop --death` shows the last one.',
  );
  assert.equal(describeCrashLoop([], undefined), '');
});

test('a crash loop is told with the exception and its line', async (t) => {
  const cluster = await RunningCluster.ready(
    t,
    {
      workers: 1,
      pipeline: 'journal',
      export: { to: 'none' },
      supervise: {
        backoffMinMs: 10,
        backoffMaxMs: 20,
        breakerDeaths: 2,
        breakerWindowMs: 60_000,
        breakerOpenMs: 60_000,
      },
    },
    { fixture: 'stuck-cluster' },
  );
  // A request may come to a worker that is just dying: the next one is tried then.
  await until('the crash loop is told', async () => {
    await cluster.get('/throw').catch(() => {});
    return /FORKTRACE_CRASH_LOOP/.test(cluster.output);
  });
  const told = /Workers keep dying.*/.exec(cluster.output)![0];
  assert.match(
    told,
    /The last 2 deaths: 2 × uncaught_exception \(RangeError: out of luck at .*stuck-cluster\.js:\d+\)\./,
  );
  assert.match(told, /forktrace inspect .* --death/);
});
