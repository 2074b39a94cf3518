import assert from 'node:assert/strict';
import { test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

for (const protocol of ['grpc', 'http/protobuf']) {
  test(`${protocol}: an endpoint without a metrics pipeline is said once`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    endpoint.answerWith({ answer: 'fail', grpc: status.UNIMPLEMENTED, http: 404 });
    const program = runProgram(t, fixture('destination-writer'), {
      ipc: true,
      env: {
        NODE_ENV: 'production',
        OTEL_SERVICE_NAME: 'shop',
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
        OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? endpoint.grpcUrl : endpoint.httpBaseUrl,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_METRICS_EXPORTER: 'otlp',
        OTEL_METRIC_EXPORT_INTERVAL: '200',
      },
    });
    const sent = () => endpoint.requests.filter(({ signal }) => signal === 'metrics').length;
    await waitFor(() => sent() >= 4, 'exports of metrics');
    await program.waitForOutput(/FORKTRACE_METRICS_FAILED/);
    assert.equal(program.stderr.split('FORKTRACE_METRICS_FAILED').length, 2, program.stderr);
    assert.match(program.stderr, /accepts no metrics/);
  });
}
