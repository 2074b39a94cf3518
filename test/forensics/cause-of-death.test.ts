import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CauseOfDeath, causeOfDeath, type Evidence } from '#src/forensics/cause-of-death.js';
import type { LastVitals } from '#src/forensics/vitals-table.js';

const NOTHING: Evidence = { told: undefined, record: undefined, vitals: undefined, orphaned: false };
const heapAt = (share: number) => ({ last: { heapUsed: share * 100, heapLimit: 100 } }) as unknown as LastVitals;

const cases: [string, Partial<Evidence>, CauseOfDeath][] = [
  ['nobody knows anything', {}, { cause: 'unknown', code: null, signal: null }],
  [
    'who ended it knows best, whatever the process wrote',
    { told: { cause: 'reload', code: 0, signal: null }, record: { code: 0, cause: 'exit' } },
    { cause: 'reload', code: 0, signal: null },
  ],
  [
    'the watchdog',
    { told: { cause: 'event_loop_blocked', code: null, signal: 'SIGKILL' } },
    { cause: 'event_loop_blocked', code: null, signal: 'SIGKILL' },
  ],
  [
    'the process knows its exception, the parent only the code',
    { told: { cause: 'exit', code: 1, signal: null }, record: { code: 1, cause: 'uncaught_exception' } },
    { cause: 'uncaught_exception', code: 1, signal: null },
  ],
  [
    'no parent tells: the process does',
    { record: { code: 42, cause: 'exit' } },
    { cause: 'exit', code: 42, signal: null },
  ],
  [
    'killed while it exited',
    { told: { code: null, signal: 'SIGKILL' }, record: { code: 0, cause: 'exit' } },
    { cause: 'signal', code: null, signal: 'SIGKILL' },
  ],
  [
    'it called process.abort, and no parent tells',
    { record: { cause: 'abort' } },
    { cause: 'abort', code: null, signal: 'SIGABRT' },
  ],
  ['aborted', { told: { code: null, signal: 'SIGABRT' } }, { cause: 'abort', code: null, signal: 'SIGABRT' }],
  [
    'aborted with a full heap',
    { told: { code: null, signal: 'SIGABRT' }, vitals: heapAt(0.95) },
    { cause: 'heap_out_of_memory', code: null, signal: 'SIGABRT' },
  ],
  [
    'aborted with a heap that is half full',
    { told: { code: null, signal: 'SIGABRT' }, vitals: heapAt(0.5) },
    { cause: 'abort', code: null, signal: 'SIGABRT' },
  ],
  [
    'nobody has told, and V8 has said that the heap is full',
    { lastWords: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory\n' },
    { cause: 'heap_out_of_memory', code: null, signal: null },
  ],
  [
    'an app that writes about a full heap, and is killed by nobody knows whom',
    { lastWords: 'retried: the job ended with JavaScript heap out of memory\n' },
    { cause: 'unknown', code: null, signal: null },
  ],
  [
    'a full heap says nothing of a kill',
    { told: { code: null, signal: 'SIGKILL' }, vitals: heapAt(0.99) },
    { cause: 'signal', code: null, signal: 'SIGKILL' },
  ],
  [
    'a segmentation fault',
    { told: { code: null, signal: 'SIGSEGV' } },
    { cause: 'crash', code: null, signal: 'SIGSEGV' },
  ],
  ['the coordinator went down with it', { orphaned: true }, { cause: 'lost', code: null, signal: null }],
  [
    'the coordinator is gone, and the process ended by itself because of it',
    { orphaned: true, record: { code: 0, cause: 'exit' } },
    { cause: 'exit', code: 0, signal: null },
  ],
  [
    'a record that no version of ours writes',
    { record: { code: 3, cause: 'bored' } },
    { cause: 'exit', code: 3, signal: null },
  ],
];

for (const [name, evidence, expected] of cases) {
  test(name, () => assert.deepEqual(causeOfDeath({ ...NOTHING, ...evidence }), expected));
}
