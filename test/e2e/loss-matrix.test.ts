import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rows } from '../loss-matrix/rows.js';
import { isShort, measure } from '../loss-matrix/world.js';

const reduced = /^SIGTERM|exit\(1\)|uncaught|SIGKILL of a worker|abort|all at once/;

for (const row of rows.filter(({ name }) => reduced.test(name))) {
  for (const contestant of ['journal-mmap', 'journal-write'] as const) {
    test(`${contestant}, ${row.name}: every ended span is delivered, every request in flight reported`, async () => {
      const cell = await measure(row, contestant);
      assert.equal(isShort(row, cell!), false, JSON.stringify(cell));
    });
  }
}
