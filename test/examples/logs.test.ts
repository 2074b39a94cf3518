import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { runProgram } from '../process/run-program.js';

test('the logs example: a line of pino, winston and console each has the ids of its request’s span', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const port = await freePort();
  const program = runProgram(t, fileURLToPath(new URL('../../dist-examples/logs/server.js', import.meta.url)), {
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
