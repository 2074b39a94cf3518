// The `http` options that tracing is started with hold for servers that are traced by hand, whichever comes
// first.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { type HttpTracingConfig, startWorkerTracing, traceServer } from 'forktrace';

const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function spanOf(t: TestContext, first: 'server' | 'tracing', options: HttpTracingConfig) {
  const exporter = new InMemorySpanExporter();
  const server = http.createServer((_request, response) => response.end());
  t.after(() => server.close());
  if (first === 'server') traceServer(server, options);
  const tracing = await startWorkerTracing({ exporter: () => exporter, http: { trustIncomingContext: false } });
  if (first === 'tracing') traceServer(server, options);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    headers: { traceparent: CALLER, connection: 'close' },
  });
  await tracing.forceFlush();
  const [span] = exporter.getFinishedSpans();
  await tracing.shutdown();
  return span!;
}

for (const first of ['server', 'tracing'] as const) {
  test(`trustIncomingContext: false of startWorkerTracing holds in traceServer, with the ${first} first`, async (t) => {
    const span = await spanOf(t, first, { responseHeader: 'traceresponse' });
    assert.notEqual(span.spanContext().traceId, CALLER.slice(3, 35));
    assert.equal(span.links[0]?.context.traceId, CALLER.slice(3, 35));
  });

  test(`an option of traceServer beats it, with the ${first} first`, async (t) => {
    const span = await spanOf(t, first, { trustIncomingContext: true });
    assert.equal(span.spanContext().traceId, CALLER.slice(3, 35));
  });
}
