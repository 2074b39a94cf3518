import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const server = fileURLToPath(new URL('../../dist-examples/logs/server.js', import.meta.url));

test('the logs example: what a worker has logged before it is killed is delivered, in the trace of its request', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, server, {
    env: {
      PORT: String(await freePort()),
      WEB_CONCURRENCY: '1',
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
    },
  });
  const [, address] = await program.waitForOutput(/listening on (http\S+)/);
  await fetch(`${address!.replace('0.0.0.0', '127.0.0.1')}/killed`).catch(() => {});
  const [log] = await endpoint.waitForLogs(1);
  assert.deepEqual(
    [log!.body, log!.severityText, log!.attributes.reason],
    ['the last words', 'fatal', 'to see what is left'],
  );
  const isIts = ({ spanId }: { spanId: string }) => spanId === log!.spanId;
  const spans = await endpoint.waitForSpans((all) => all.some(isIts));
  assert.equal(spans.find(isIts)!.attributes['forktrace.interrupted'], true);
});

test('the logs example: a line of pino, winston and console each has the ids of its request’s span', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const port = await freePort();
  const program = runProgram(t, server, {
    env: {
      NODE_ENV: 'production',
      PORT: String(port),
      WEB_CONCURRENCY: '1',
      FORKTRACE_PIPELINE: 'batch',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
  });
  await program.waitForOutput(/listening on http/);
  await fetch(`http://127.0.0.1:${port}/`);
  const [span] = await endpoint.waitForSpans(1);
  for (const logger of ['pino', 'winston', 'console']) {
    const [line] = await program.waitForOutput(new RegExp(`^\\{.*hello from ${logger}.*\\}$`, 'm'));
    const { trace_id, span_id, trace_flags } = JSON.parse(line);
    assert.deepEqual([trace_id, span_id, trace_flags], [span!.traceId, span!.spanId, '01'], logger);
  }
});
