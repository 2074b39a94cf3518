import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const settings: [string, Record<string, string>][] = [
  ['the journal, OTLP/gRPC', {}],
  ['the journal, OTLP/HTTP', { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' }],
  ['the batch pipeline, OTLP/gRPC', { FORKTRACE_PIPELINE: 'batch' }],
  [
    'the batch pipeline, OTLP/HTTP',
    { FORKTRACE_PIPELINE: 'batch', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/protobuf' },
  ],
];

describe("the SDK's own metrics of exports and spans", { timeout: 120_000 }, () => {
  for (const [what, env] of settings) {
    it(`say what has been exported and what waits, with ${what}`, async (t) => {
      const traces = await OtlpEndpoint.start(t);
      const metrics = await OtlpEndpoint.start(t);
      const isHttp = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL === 'http/protobuf';
      const url = isHttp ? traces.httpUrl : traces.grpcUrl;
      const program = runProgram(t, fixture('flushing'), {
        ipc: true,
        env: {
          OTEL_SERVICE_NAME: 'measured',
          FORKTRACE_EXPORT: isHttp ? 'otlp-http' : 'otlp-grpc',
          OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url,
          ...metrics.metricsEnvironment,
          FORKTRACE_JOURNAL_DIR: await tempDir(t),
          ...env,
        },
      });
      const flush = async (timeoutMillis: number) => {
        program.child.send({ by: 'tracing', timeoutMillis });
        await once(program.child, 'message', { signal: AbortSignal.timeout(40_000) });
      };
      const type = isHttp ? 'otlp_http_span_exporter' : 'otlp_grpc_span_exporter';
      const attributes = {
        'otel.component.type': type,
        'otel.component.name': `${type}/0`,
        'server.address': new URL(url).hostname,
        'server.port': Number(new URL(url).port),
      };
      /** Of the newest export. */
      const value = (name: string, wanted: object) =>
        metrics.metrics
          .findLast((metric) => metric.name === name)
          ?.points.find((point) => JSON.stringify(sorted(point.attributes)) === JSON.stringify(sorted(wanted)))?.value;
      const waitFor = (name: string, wanted: object, count: number) =>
        metrics
          .waitForMetrics(() => value(name, wanted) === count)
          .catch((error) => {
            const seen = metrics.metrics.filter((metric) => metric.name === name).at(-1)?.points;
            assert.fail(`${error.message}: ${name} is ${JSON.stringify(seen?.map((p) => [p.attributes, p.value]))}`);
          });

      await flush(20_000);
      await waitFor('otel.sdk.exporter.span.exported', attributes, 10);
      await waitFor('otel.sdk.exporter.span.inflight', attributes, 0);
      const started = { 'otel.span.parent.origin': 'none', 'otel.span.sampling_result': 'RECORD_AND_SAMPLE' };
      await waitFor('otel.sdk.span.started', started, 10);
      await waitFor('otel.sdk.span.live', { 'otel.span.sampling_result': 'RECORD_AND_SAMPLE' }, 0);

      let exported = 10;
      if (env.FORKTRACE_PIPELINE !== 'batch') {
        traces.answerWith({ answer: 'refuse-spans', named: /^span 1[24]$/ });
        await flush(20_000);
        const refused = { ...attributes, 'error.type': isHttp ? '400' : 'INVALID_ARGUMENT' };
        await waitFor('otel.sdk.exporter.span.exported', refused, 2);
        traces.answerWith({ answer: 'partial-success', rejected: 3 }, 1);
        await flush(20_000);
        await waitFor('otel.sdk.exporter.span.exported', { ...attributes, 'error.type': 'rejected' }, 3);
        exported = 25;
        await waitFor('otel.sdk.exporter.span.exported', attributes, exported);
        await waitFor('otel.sdk.exporter.span.inflight', attributes, 0);
      }

      traces.answerWith({ answer: 'hang' });
      await flush(500);
      await waitFor('otel.sdk.exporter.span.inflight', attributes, 10);
      assert.equal(value('otel.sdk.exporter.span.exported', attributes), exported);
    });
  }
});

function sorted(attributes: object): [string, unknown][] {
  return Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1));
}
