import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { freePort } from '../process/free-port.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { request } from './traced-server.js';

test('the interrupted span of a killed worker has the name and the route of its request', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const port = await freePort();
  const program = runProgram(t, fixture('interrupted-route'), {
    env: {
      PORT: String(port),
      OTEL_SERVICE_NAME: 'interrupted',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_EXPORT: 'otlp-grpc',
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    },
  });
  const span = () =>
    endpoint
      .received()
      .find(({ kind, attributes }) => kind === OtlpSpanKind.SERVER && attributes['url.path'] === '/api/v1/work/7');
  // Refused until the worker listens.
  const asked = async () => {
    await request(port, '/api/v1/work/7').catch(() => {});
    return span();
  };
  const found = await waitFor(asked, () => `an interrupted span; output: ${program.output}`, 60_000);
  assert.equal(found.name, 'GET /api/:version/work/:id');
  assert.equal(found.attributes['http.route'], '/api/:version/work/:id');
  assert.equal(found.status.code, 2);
});
