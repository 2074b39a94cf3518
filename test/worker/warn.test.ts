import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { LossReport } from '#src/warn.js';

test('a loss is said at once, then at growing intervals, and at the end, and nothing is left out of the count', async () => {
  const said: string[] = [];
  const listener = (warning: Error & { code?: string }) => said.push(`${warning.code} ${warning.message}`);
  process.on('warning', listener);
  const report = new LossReport('FORKTRACE_JOURNAL_LOSS', (lost, reason) => `${lost} lost: ${reason}`);
  report.add(1, 'a', 1000);
  report.add(2, 'b', 2000);
  report.add(3, 'c', 60_999);
  report.add(4, 'd', 61_000); // a minute after the first
  report.add(5, 'e', 180_999);
  report.add(6, 'f', 181_000); // two minutes after the second
  process.emitWarning('done');
  if (!said.some((text) => text.includes('done'))) await once(process, 'warning');
  report.add(7, 'g', 181_001);
  report.end();
  report.end();
  process.off('warning', listener);
  const own = said.filter((text) => text.startsWith('FORKTRACE_JOURNAL_LOSS'));
  assert.deepEqual(own, [
    'FORKTRACE_JOURNAL_LOSS 1 lost: a',
    'FORKTRACE_JOURNAL_LOSS 9 lost: d',
    'FORKTRACE_JOURNAL_LOSS 11 lost: f',
    'FORKTRACE_JOURNAL_LOSS 7 lost: g',
  ]);
  assert.equal(report.total, 28);
});
