// What the variables of OpenTelemetry do, seen from where the spans go; the same with both pipelines.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { cert, key } from '../http/certificate.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const SPANS = 40;

for (const pipeline of ['batch', 'journal']) {
  async function start(t: TestContext, env: Record<string, string>) {
    return runProgram(t, fixture('configured-job'), {
      env: {
        NODE_ENV: 'production',
        FORKTRACE_PIPELINE: pipeline,
        FORKTRACE_SHIP: 'inline',
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
        ...env,
      },
    });
  }

  /** Runs the job to its end; the headers that it would have sent to others. */
  async function job(t: TestContext, env: Record<string, string>): Promise<Record<string, string>> {
    const program = await start(t, env);
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
    return JSON.parse(program.stdout).headers;
  }

  test(`${pipeline}: limits cut and count what they cut; resource attributes are on the resource`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    await job(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '2',
      OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '3',
      OTEL_SPAN_EVENT_COUNT_LIMIT: '1',
      OTEL_SPAN_LINK_COUNT_LIMIT: '1',
      OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '1',
      OTEL_SERVICE_NAME: 'limited',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test,team=a%20b',
    });
    const spans = endpoint.received();
    assert.equal(spans.length, SPANS);
    const [span] = spans;
    assert.deepEqual(span!.attributes, { text: 'abc', two: 2 });
    assert.deepEqual([span!.droppedAttributesCount, span!.droppedEventsCount, span!.droppedLinksCount], [1, 1, 1]);
    assert.equal(span!.events.length, 1);
    assert.equal(Object.keys(span!.events[0]!.attributes).length, 1);
    assert.equal(span!.links.length, 1);
    assert.equal(span!.resource['service.name'], 'limited');
    assert.equal(span!.resource['deployment.environment.name'], 'test');
    assert.equal(span!.resource.team, 'a b');
  });

  for (const [sampler, least, most] of [
    ['always_off', 0, 0],
    ['parentbased_traceidratio', 1, SPANS - 1],
  ] as const) {
    test(`${pipeline}: OTEL_TRACES_SAMPLER=${sampler}`, async (t) => {
      const endpoint = await OtlpEndpoint.start(t);
      const ratio: Record<string, string> = sampler.endsWith('ratio') ? { OTEL_TRACES_SAMPLER_ARG: '0.5' } : {};
      await job(t, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl, OTEL_TRACES_SAMPLER: sampler, ...ratio });
      const { length } = endpoint.received();
      assert.ok(length >= least && length <= most, `${length} of ${SPANS} spans`);
    });
  }

  test(`${pipeline}: OTLP over HTTP, with headers and gzip`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    await job(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: new URL(endpoint.httpUrl).origin,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=a%20b',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    });
    assert.equal(endpoint.received().length, SPANS);
    const { headers } = endpoint.requests[0]!;
    assert.equal(headers['x-tenant'], 'a b');
    assert.equal(headers['content-encoding'], 'gzip');
  });

  test(`${pipeline}: OTLP over HTTP in JSON`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    await job(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: new URL(endpoint.httpUrl).origin,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_METRICS_EXPORTER: 'otlp',
    });
    const [span] = await endpoint.waitForSpans(SPANS);
    assert.equal(span!.name, 'job');
    assert.deepEqual(span!.attributes, { text: 'abcdefgh', two: 2, three: 3 });
    assert.equal(span!.links[0]!.traceId, '0af7651916cd43dd8448eb211c80319c');
    for (const { headers } of endpoint.requests) assert.equal(headers['content-type'], 'application/json');
  });

  for (const protocol of ['grpc', 'http'] as const) {
    test(`${pipeline}: an endpoint whose URL does not tell that it speaks ${protocol}`, async (t) => {
      const endpoint = await OtlpEndpoint.start(t);
      const url = protocol === 'grpc' ? endpoint.grpcUrl : new URL(endpoint.httpUrl).origin;
      await job(t, { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_METRICS_EXPORTER: 'otlp' });
      assert.equal((await endpoint.waitForSpans(SPANS)).length, SPANS);
      for (const request of endpoint.requests) assert.equal(request.protocol, protocol);
      assert.ok(endpoint.requests.some(({ signal }) => signal === 'metrics'));
    });
  }

  test(`${pipeline}: OTEL_TRACES_EXPORTER=otlp,console sends and prints`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const program = await start(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_TRACES_EXPORTER: 'otlp,console',
    });
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
    assert.equal(endpoint.received().length, SPANS);
    assert.equal(program.stdout.match(/abcdefgh/g)?.length, SPANS, program.stdout.slice(0, 500));
  });

  test(`${pipeline}: an endpoint whose certificate's authority is OTEL_EXPORTER_OTLP_CERTIFICATE, for spans and metrics`, async (t) => {
    const ca = join(await tempDir(t), 'ca.pem');
    await writeFile(ca, cert);
    const paths = new Set<string>();
    const server = createServer({ cert, key }, (request, response) => {
      paths.add(request.url!);
      request.resume().on('end', () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    t.after(() => {
      server.closeAllConnections();
      server.close();
    });
    await job(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://localhost:${(server.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
      OTEL_METRICS_EXPORTER: 'otlp',
    });
    assert.deepEqual([...paths].sort(), ['/v1/metrics', '/v1/traces']);
  });

  test(`${pipeline}: gRPC over TLS, by the same variable`, async (t) => {
    const ca = join(await tempDir(t), 'ca.pem');
    await writeFile(ca, cert);
    const sockets: TLSSocket[] = [];
    const server = createTlsServer({ cert, key, ALPNProtocols: ['h2'] }, (socket) => {
      socket.on('error', () => {});
      sockets.push(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    t.after(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    await start(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://localhost:${(server.address() as AddressInfo).port}`,
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
    });
    await waitFor(() => sockets.length > 0, 'a handshake');
    assert.equal(sockets[0]!.alpnProtocol, 'h2');
  });
}

for (const [propagators, names] of [
  ['tracecontext,b3', ['b3', 'traceparent']],
  ['b3multi,jaeger', ['uber-trace-id', 'x-b3-sampled', 'x-b3-spanid', 'x-b3-traceid']],
  ['xray,ottrace,', ['ot-tracer-sampled', 'ot-tracer-spanid', 'ot-tracer-traceid', 'x-amzn-trace-id']],
  ['none', []],
] as const) {
  test(`OTEL_PROPAGATORS=${propagators}`, async (t) => {
    const program = runProgram(t, fixture('configured-job'), {
      env: { FORKTRACE_PIPELINE: 'batch', FORKTRACE_EXPORT: 'none', OTEL_PROPAGATORS: propagators },
    });
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
    const { headers } = JSON.parse(program.stdout);
    assert.deepEqual(
      Object.keys(headers)
        .map((name) => name.toLowerCase())
        .sort(),
      names,
    );
  });
}

for (const sampler of ['jaeger_remote', 'parentbased_jaeger_remote', 'xray']) {
  test(`OTEL_TRACES_SAMPLER=${sampler} asks its service`, async (t) => {
    const asked: string[] = [];
    const service = createPlainServer((request, response) => {
      asked.push(request.url!);
      response.setHeader('content-type', 'application/json');
      response.end('{"strategyType":"PROBABILISTIC","probabilisticSampling":{"samplingRate":1}}');
    });
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
    t.after(() => service.close());
    const endpoint = `http://127.0.0.1:${(service.address() as AddressInfo).port}`;
    const program = runProgram(t, fixture('unaware-server'), {
      execArgv: ['--import', fileURLToPath(import.meta.resolve('forktrace/register'))],
      env: {
        FORKTRACE_PIPELINE: 'batch',
        FORKTRACE_EXPORT: 'none',
        OTEL_SERVICE_NAME: 'sampled',
        OTEL_TRACES_SAMPLER: sampler,
        OTEL_TRACES_SAMPLER_ARG: `endpoint=${encodeURIComponent(endpoint)},initialSamplingRate=1,pollingIntervalMs=20`,
      },
    });
    await waitFor(() => asked.length > 0, 'a question to the service');
    assert.match(asked[0]!, sampler === 'xray' ? /^\/GetSamplingRules/ : /^\/sampling\?service=sampled/);
    assert.deepEqual(JSON.parse((await program.waitForOutput(/\{.*\}/))[0]).warnings, []);
  });
}

test('OTEL_TRACES_SAMPLER=jaeger_remote holds no process open', async (t) => {
  const program = runProgram(t, fixture('configured-job'), {
    env: { FORKTRACE_PIPELINE: 'batch', FORKTRACE_EXPORT: 'none', OTEL_TRACES_SAMPLER: 'jaeger_remote' },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
});
