import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ResolvedExport } from '#src/config/resolved.js';
import { retryDelayOf } from '#src/shipper/otlp-response.js';
import { createTransport, type SendResult } from '#src/shipper/transport.js';
import type { Answer } from '../endpoint/answer.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { retryInfoStatus } from '../endpoint/status-details.js';
import { exportRequest } from './export-request.js';

type Protocol = 'otlp-grpc' | 'otlp-http';

function target(endpoint: OtlpEndpoint, to: Protocol, options: Partial<ResolvedExport> = {}): ResolvedExport {
  return {
    to,
    url: to === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl,
    headers: {},
    compression: 'none',
    timeoutMs: 10_000,
    tls: {},
    ...options,
  };
}

async function send(
  t: TestContext,
  to: Protocol,
  answer: Answer | 'stopped',
  options: Partial<ResolvedExport> = {},
): Promise<{ result: SendResult; endpoint: OtlpEndpoint }> {
  const endpoint = await OtlpEndpoint.start(t);
  const transport = await createTransport(target(endpoint, to, options));
  t.after(() => transport.close());
  if (answer === 'stopped') await endpoint.stop();
  else endpoint.answerWith(answer);
  return { result: await transport.send(exportRequest(3)), endpoint };
}

for (const to of ['otlp-grpc', 'otlp-http'] as const) {
  test(`${to}: what the endpoint takes is accepted, byte for byte, with headers and gzip`, async (t) => {
    const options = { headers: { 'x-tenant': 'a' }, compression: 'gzip' } as const;
    const { result, endpoint } = await send(t, to, { answer: 'ok' }, options);
    assert.deepEqual(result, { outcome: 'accepted', rejected: 0, message: '' });
    const [request] = endpoint.requests;
    assert.equal(request!.headers['x-tenant'], 'a');
    assert.match(request!.headers['user-agent']!, /forktrace\/\d/);
    assert.equal(request!.bytes, exportRequest(3).length);
    assert.deepEqual(
      endpoint.received().map(({ name }) => name),
      ['span 0', 'span 1', 'span 2'],
    );
    // grpc-js keeps the encoding of what it has decompressed to itself.
    if (to === 'otlp-http') assert.equal(request!.headers['content-encoding'], 'gzip');
  });

  test(`${to}: a partial success tells how many spans were rejected, and why`, async (t) => {
    const { result } = await send(t, to, { answer: 'partial-success', rejected: 2, message: 'too old' });
    assert.deepEqual(result, { outcome: 'accepted', rejected: 2, message: 'too old' });
  });

  test(`${to}: INVALID_ARGUMENT is about the data`, async (t) => {
    const { result } = await send(t, to, { answer: 'invalid-argument' });
    assert.equal(result.outcome, 'bad-data');
    assert.match((result as { reason: string }).reason, /INVALID_ARGUMENT|400/);
  });

  test(`${to}: UNAVAILABLE is worth another try`, async (t) => {
    const { result } = await send(t, to, { answer: 'unavailable' }, { timeoutMs: 500 });
    assert.equal(result.outcome, 'retry');
    assert.equal((result as { afterMs?: number }).afterMs, undefined);
  });

  test(`${to}: the endpoint says when to try again`, async (t) => {
    const { result } = await send(t, to, { answer: 'resource-exhausted', retryAfterMs: 12_000 }, { timeoutMs: 2000 });
    assert.equal(result.outcome, 'retry');
    assert.equal((result as { afterMs?: number }).afterMs, 12_000);
  });

  test(`${to}: an endpoint that asks for a day gets half a minute`, async (t) => {
    const { result } = await send(t, to, { answer: 'unavailable', retryAfterMs: 86_400_000 });
    assert.equal((result as { afterMs?: number }).afterMs, 30_000);
  });

  test(`${to}: nobody there is worth another try, and the next one gets through`, async (t) => {
    const { result, endpoint } = await send(t, to, 'stopped', { timeoutMs: 700 });
    assert.equal(result.outcome, 'retry');
    await endpoint.restart();
    const transport = await createTransport(target(endpoint, to));
    t.after(() => transport.close());
    assert.equal((await transport.send(exportRequest(1))).outcome, 'accepted');
  });

  test(`${to}: an endpoint that never answers is given up after the timeout`, async (t) => {
    const { result } = await send(t, to, { answer: 'hang' }, { timeoutMs: 300 });
    assert.equal(result.outcome, 'retry');
  });
}

test('otlp-grpc: RESOURCE_EXHAUSTED without RetryInfo waits for whoever raises the quota', async (t) => {
  const { result } = await send(t, 'otlp-grpc', { answer: 'resource-exhausted' });
  assert.equal(result.outcome, 'blocked');
});

test('otlp-grpc: a channel finds an endpoint that is back within a reconnect backoff of seconds', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const transport = await createTransport(target(endpoint, 'otlp-grpc'));
  t.after(() => transport.close());
  assert.equal((await transport.send(exportRequest(1))).outcome, 'accepted');
  await endpoint.stop();
  assert.equal((await transport.send(exportRequest(1))).outcome, 'retry');
  await endpoint.restart();
  const deadline = performance.now() + 10_000;
  let result = await transport.send(exportRequest(1));
  while (result.outcome === 'retry' && performance.now() < deadline) result = await transport.send(exportRequest(1));
  assert.equal(result.outcome, 'accepted');
});

test('a delay is found among the details of a gRPC status, and none in anything else', () => {
  assert.equal(retryDelayOf(retryInfoStatus(status.RESOURCE_EXHAUSTED, 'later', 1500)), 1500);
  const whole = retryInfoStatus(status.UNAVAILABLE, 'later', 90_000);
  for (let cut = 0; cut < whole.length; cut++) {
    const delay = retryDelayOf(whole.subarray(0, cut));
    assert.ok(delay === undefined || delay <= 90_000);
  }
  assert.equal(retryDelayOf(Buffer.from('this is no google.rpc.Status at all')), undefined);
});

test('nothing is sent to none', async () => {
  const transport = await createTransport({
    to: 'none',
    url: undefined,
    headers: {},
    compression: 'none',
    timeoutMs: 1,
    tls: {},
  });
  assert.equal((await transport.send(exportRequest(1))).outcome, 'accepted');
  transport.close();
});
