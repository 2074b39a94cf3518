// Headers that change while a process runs, without the journal: spans of pipeline `batch`, and metrics.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { TracingConfig } from 'forktrace';
import { resolveConfig } from '#src/config/index.js';
import { createExporter } from '#src/worker/exporter.js';
import { createMeterProvider } from '#src/worker/meter-provider.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

type Headers = NonNullable<TracingConfig['export']>['headers'];

/** Sends something, and tells how much has arrived by now. */
type Send = () => Promise<number>;

function spans(t: TestContext, endpoint: OtlpEndpoint, to: 'otlp-grpc' | 'otlp-http', headers: Headers): Send {
  const url = to === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl;
  const exporter = createExporter(resolveConfig({ pipeline: 'batch', export: { to, url, headers } }, {}));
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter as SpanExporter)] });
  t.after(() => provider.shutdown().catch(() => {}));
  return async () => {
    provider.getTracer('app').startSpan('one').end();
    await provider.forceFlush().catch(() => {});
    return endpoint.received().length;
  };
}

function metrics(t: TestContext, endpoint: OtlpEndpoint, to: 'otlp-grpc' | 'otlp-http', headers: Headers): Send {
  const url = to === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl;
  const { metrics } = resolveConfig({ metrics: true, export: { to, url, headers } }, {});
  const provider = createMeterProvider(metrics!, resourceFromAttributes({}) as never);
  t.after(() => provider.shutdown().catch(() => {}));
  const counter = provider.getMeter('app').createCounter('one');
  return async () => {
    counter.add(1);
    await provider.forceFlush().catch(() => {});
    return endpoint.metrics.length;
  };
}

test('headers of a function and of a file are those of now', { timeout: 120_000 }, async (t) => {
  const dir = await tempDir(t);
  const both = { spans, metrics };
  const cases = (['spans', 'metrics'] as const).flatMap((signal) =>
    (['otlp-grpc', 'otlp-http'] as const).flatMap((to) =>
      (['function', 'file'] as const).map((from) => ({ signal, to, from })),
    ),
  );
  await Promise.all(
    cases.map(async ({ signal, to, from }) => {
      const name = `${signal} ${to} ${from}`;
      const endpoint = await OtlpEndpoint.start(t);
      const file = join(dir, name);
      let token = 'one';
      const rotate = (next: string) => {
        token = next;
        writeFileSync(file, `authorization: Bearer ${next}\n`, { mode: 0o600 });
        endpoint.requireHeader('authorization', `Bearer ${next}`);
      };
      rotate('one');
      const headers: Headers = from === 'file' ? file : async () => ({ authorization: `Bearer ${token}` });
      const send = both[signal](t, endpoint, to, headers);
      await waitFor(async () => (await send()) > 0, `${name}: the first token`);
      const before = await send();
      rotate('two');
      await waitFor(async () => (await send()) > before, `${name}: the second token`);
    }),
  );
  assert.equal(cases.length, 8);
});
