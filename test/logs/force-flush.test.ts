import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const LINES = 500;

async function flushed(t: TestContext, url: string, timeoutMs: number): Promise<boolean> {
  const program = runProgram(t, fixture('flushing-logs'), {
    args: [String(LINES), String(timeoutMs)],
    execArgv: ['--import', 'forktrace/register'],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: url, FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
  const [, isFlushed] = await program.waitForOutput(/"isFlushed":(\w+)/);
  return isFlushed === 'true';
}

test('forceFlush of the logger provider means delivered', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  assert.equal(await flushed(t, endpoint.grpcUrl, 20_000), true);
  assert.equal(endpoint.logs.length, LINES);
});

test('it is false at the deadline, where nobody takes them', async (t) => {
  const endpoint = await OtlpEndpoint.start(t, { without: 'logs' });
  assert.equal(await flushed(t, endpoint.grpcUrl, 500), false);
});
