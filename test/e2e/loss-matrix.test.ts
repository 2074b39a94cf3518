import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge, measure, measureUntraced } from '../loss-matrix/cell.js';
import { rows } from '../loss-matrix/rows.js';

const reduced = /^SIGTERM|exit\(1\)|uncaught|SIGKILL of a worker|abort|all at once|RLIMIT|pm2: stop/;

for (const row of rows.filter(({ name }) => reduced.test(name))) {
  test(`${row.name}: every ended span is delivered or said to be lost, every request in flight reported, the end is the app's own`, async (t) => {
    const untraced = await measureUntraced(row);
    for (const contestant of ['journal-mmap', 'journal-write'] as const) {
      await t.test(contestant, async () => {
        const cell = await measure(row, contestant);
        const { text, short } = judge(row, cell!, untraced);
        // How long it takes is for the matrix to say: here other tests run beside it.
        const failed = short.filter((fact) => !fact.startsWith('after '));
        assert.deepEqual(failed, [], text);
      });
    }
  });
}
