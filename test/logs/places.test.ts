// Where a program logs, and what it logs to.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

test('in handlers of exits and signals, and in worker threads; a closed destination takes nothing, and throws nothing', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('logging-places'), {
    execArgv: ['--import', 'forktrace/register'],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl, FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
  assert.deepEqual(await program.waitForExit(), { code: 3, signal: null }, program.output);
  const expected = [
    'before the end',
    'early exit handler',
    'late exit handler',
    'main thread',
    'signal handler',
    'worker thread',
  ];
  await endpoint.waitForLogs(expected.length);
  assert.deepEqual(endpoint.logs.map(({ body }) => body).sort(), expected);
});

test('a disk that is full: what does not fit is counted, and said; what fits is there, and spans are not affected', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  // The shell's unit is 512 or 1024 bytes: a limit of 64 or 128 KiB, for records of more than 500.
  const program = runProgram(t, fixture('logs-writer'), {
    node: '/bin/sh',
    execArgv: ['-c', 'ulimit -f 128; exec "$0" "$@"', process.execPath],
    args: [dir],
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  const { spans, lost, logRecords, logRecordsLost } = JSON.parse(program.stdout);
  assert.deepEqual([spans, lost.total], [2, 0]);
  assert.ok(logRecords >= 100 && logRecordsLost.noSpace > 0, program.output);
  assert.equal(logRecords + logRecordsLost.total, 1000);
  const said = [...program.stderr.matchAll(/Log records lost: (\d+), because there is no space in .* \(EFBIG\)/g)];
  assert.equal(
    said.reduce((sum, [, records]) => sum + Number(records), 0),
    logRecordsLost.noSpace,
  );
  const list = runProgram(t, fileURLToPath(import.meta.resolve('#src/cli/main.js')), {
    args: ['logs', dir, '--lines', '1000'],
  });
  await list.waitForExit();
  assert.equal(list.stdout.match(/line \d+ x/g)?.length, logRecords);
});
