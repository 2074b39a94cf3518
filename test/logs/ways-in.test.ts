// Each way of logging, killed in the next statement: every line is there, in the trace and span that it
// belongs to.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedLog } from '../endpoint/received-log.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const LINES = 25;

async function logged(t: TestContext, way: string, end: string, env: Record<string, string> = {}) {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('logging-app'), {
    args: [way, end, String(LINES)],
    execArgv: ['--import', 'forktrace/register'],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_SERVICE_NAME: 'shop',
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      ...env,
    },
  });
  const [, said] = await program.waitForOutput(/(\{"traceId".*\})/);
  const span: { traceId: string; spanId: string } = JSON.parse(said!);
  const exit = await program.waitForExit();
  const records = await endpoint.waitForLogs(LINES + 1, 12_000);
  const outside = records.find(({ body }) => body === 'outside')!;
  const inside = records.filter((record) => record !== outside);
  return { endpoint, program, span, exit, outside, inside };
}

function assertTold(
  { span, outside, inside }: Awaited<ReturnType<typeof logged>>,
  check: (record: ReceivedLog) => void,
) {
  assert.deepEqual([outside.traceId, outside.spanId], ['', '']);
  assert.deepEqual(
    inside.map(({ body }) => body),
    Array.from({ length: LINES }, (_, n) => `line ${n}`),
  );
  for (const [n, record] of inside.entries()) {
    assert.deepEqual([record.traceId, record.spanId], [span.traceId, span.spanId]);
    assert.equal(record.flags & 1, 1);
    assert.equal(record.severityNumber, 9);
    assert.equal(record.attributes.n, n);
    assert.deepEqual(record.attributes.deep, { list: [1, 'two'] });
    assert.equal(record.attributes.password, 'REDACTED');
    assert.equal(record.resource['service.name'], 'shop');
    assert.ok(Math.abs(Number(record.time / 1_000_000n) - Date.now()) < 60_000);
    check(record);
  }
}

test('the logs API, killed', async (t) => {
  const all = await logged(t, 'api', 'kill');
  assert.equal(all.exit.signal, 'SIGKILL');
  assertTold(all, ({ scope, severityText }) => {
    assert.deepEqual([scope.name, scope.version, severityText], ['app', '1.0.0', 'INFO']);
  });
});

for (const end of ['kill', 'exit', 'throw', 'abort']) {
  test(`forktrace/pino: ${end}`, async (t) => {
    assertTold(await logged(t, 'pino', end), ({ scope, severityText, attributes }) => {
      assert.deepEqual([scope.name, severityText], ['pino', 'info']);
      assert.deepEqual(Object.keys(attributes).sort(), ['deep', 'n', 'password']);
    });
  });
}

test('forktrace/pino as one of several streams', async (t) => {
  const all = await logged(t, 'pino-multistream', 'kill');
  assertTold(all, () => {});
  assert.equal(all.program.stderr.match(/"msg":"line \d+"/g)?.length, LINES);
});

for (const logger of ['pino', 'winston', 'bunyan']) {
  test(`the official instrumentation of ${logger}, unchanged`, async (t) => {
    assertTold(await logged(t, `instrumented ${logger}`, 'kill', { FORKTRACE_INSTRUMENTATIONS: 'auto' }), () => {});
  });
}

test('in production logs are off, and pino writes to standard output', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('logging-app'), {
    args: ['pino', 'exit', '2'],
    execArgv: ['--import', 'forktrace/register'],
    env: {
      NODE_ENV: 'production',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    },
  });
  await program.waitForExit();
  await endpoint.waitForSpans(1);
  assert.match(program.stdout, /"msg":"line 1"/);
  assert.match(program.stderr, /log records are not exported in production \(OTEL_LOGS_EXPORTER=otlp turns them on\)/);
  assert.equal(endpoint.logs.length, 0);
});
