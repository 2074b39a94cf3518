// Where exceptions go that spans record, by OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

async function recorded(t: TestContext, records: number, env: Record<string, string>) {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('recorded-exception'), {
    execArgv: ['--import', 'forktrace/register'],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl, FORKTRACE_JOURNAL_DIR: await tempDir(t), ...env },
  });
  await program.waitForExit();
  const [span] = await endpoint.waitForSpans(1);
  if (records > 0) await endpoint.waitForLogs(records);
  return { span: span!, logs: endpoint.logs };
}

const EXCEPTION = {
  'exception.type': 'TypeError',
  'exception.message': 'no luck, token 4711',
  'exception.stacktrace': 'TypeError: no luck\n    at work',
};

for (const [value, { events, records }] of Object.entries({
  logs: { events: 0, records: 1 },
  'logs/dup': { events: 1, records: 1 },
  '': { events: 1, records: 0 },
})) {
  test(`${value || 'not set'}: ${events} events of the span, ${records} log records`, async (t) => {
    const { span, logs } = await recorded(t, records, { OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: value });
    assert.deepEqual(
      span.events.map(({ name, attributes }) => [name, attributes]),
      Array.from({ length: events }, () => ['exception', EXCEPTION]),
    );
    assert.equal(logs.length, records);
    for (const log of logs) {
      assert.deepEqual([log.traceId, log.spanId], [span.traceId, span.spanId]);
      assert.deepEqual([log.eventName, log.severityNumber, log.scope.name], ['exception', 17, 'app']);
      assert.deepEqual(log.attributes, EXCEPTION);
      assert.ok(log.time >= span.start && log.time <= span.end);
    }
  });
}

test('while logs are off they stay events', async (t) => {
  const { span, logs } = await recorded(t, 0, {
    OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: 'logs',
    OTEL_LOGS_EXPORTER: 'none',
  });
  assert.deepEqual([span.events.length, logs.length], [1, 0]);
});
