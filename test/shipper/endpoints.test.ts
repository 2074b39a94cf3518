import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { test } from 'node:test';
import { resolveConfig } from '#src/config/resolve.js';
import type { ResolvedExport } from '#src/config/resolved.js';
import { askProtocol } from '#src/shipper/ask-protocol.js';
import { type Endpoint, endpointOf } from '#src/shipper/endpoint-url.js';
import { proxyFor } from '#src/shipper/proxy.js';
import { consoleTransport } from '#src/shipper/transport-console.js';
import { encode } from '#src/wire/encode.js';
import { LogsRequest, TracesRequest } from '#src/wire/otlp.js';

const target = (more: Partial<ResolvedExport>): ResolvedExport => ({ ...resolveConfig({}, {}).export, ...more });

test('an endpoint in its parts: port and path by protocol and scheme, no login in its name', () => {
  const tls = (insecure: boolean) => ({ ca: undefined, cert: undefined, key: undefined, insecure });
  const cases: [of: Partial<ResolvedExport>, parts: Partial<Endpoint> | undefined][] = [
    [{ to: 'none' }, undefined],
    [{ to: 'console' }, undefined],
    [
      { to: 'otlp-grpc', url: undefined },
      { name: 'http://localhost:4317', port: 4317, secure: false },
    ],
    [
      { to: 'otlp-http', url: undefined },
      { name: 'http://localhost:4318/v1/traces', path: '/v1/traces' },
    ],
    [
      { to: 'otlp-grpc', url: 'c:4317', tls: tls(false) },
      { name: 'https://c:4317', secure: true, host: 'c' },
    ],
    [
      { to: 'otlp-grpc', url: 'c:4317', tls: tls(true) },
      { name: 'http://c:4317', secure: false },
    ],
    [
      { to: 'otlp-http', url: 'https://c/otlp?key=1' },
      { name: 'https://c/otlp', port: 443, path: '/otlp?key=1' },
    ],
    [
      { to: 'otlp-http', url: 'http://[::1]/' },
      { host: '::1', port: 80 },
    ],
    [
      { to: 'otlp-http', url: 'http://me:p%40ss@c:1/' },
      { name: 'http://c:1/', login: 'me:p@ss', port: 1 },
    ],
    [
      { to: 'otlp-grpc', url: 'unix:///run/c' },
      { name: 'unix:///run/c', socketPath: '/run/c', host: '', port: 0 },
    ],
    [{ to: 'otlp-grpc', url: 'unix:run/c' }, { socketPath: 'run/c' }],
  ];
  for (const [of, parts] of cases) {
    const endpoint = endpointOf(target(of));
    if (parts === undefined) assert.equal(endpoint, undefined);
    else assert.deepEqual({ ...endpoint, ...parts }, endpoint, JSON.stringify(of));
  }
  assert.equal(endpointOf(target({ to: 'otlp-http', url: undefined }), 'logs')!.path, '/v1/logs');
});

test('the proxy of an endpoint: by protocol and encryption, unless NO_PROXY excepts it', () => {
  const plain = { protocol: 'OTLP/HTTP', secure: false, host: 'c.example', port: 4318 } as const;
  const grpc = { ...plain, protocol: 'OTLP/gRPC' } as const;
  const at = (endpoint: Parameters<typeof proxyFor>[0], env: Record<string, string>) => {
    const proxy = proxyFor(endpoint, env);
    return proxy && `${proxy.login === undefined ? '' : `${proxy.login}@`}${proxy.host}:${proxy.port}`;
  };
  const all = { HTTP_PROXY: 'http://h:1', HTTPS_PROXY: 's:2', ALL_PROXY: 'http://a:3' };
  assert.deepEqual([at(plain, all), at({ ...plain, secure: true }, all), at(grpc, all)], ['h:1', 's:2', 's:2']);
  assert.equal(at({ ...plain, secure: true }, { HTTP_PROXY: 'http://h:1', ALL_PROXY: 'http://a:3' }), 'a:3');
  assert.equal(at(grpc, { HTTP_PROXY: 'http://h:1' }), 'h:1');
  assert.equal(at(plain, { HTTP_PROXY: 'http://big:1', http_proxy: 'http://me:p%40@small' }), 'me:p@@small:80');
  assert.equal(at(plain, { HTTP_PROXY: 'http://[::1]:8' }), '::1:8');
  for (const unusable of ['', 'socks5://p:1', 'https://p:1', 'http://', '::'])
    assert.equal(at(plain, { HTTP_PROXY: unusable }), undefined, unusable);
  assert.equal(at({ ...plain, host: '' }, all), undefined, 'a Unix socket');

  const excepts = (noProxy: string, host: string) =>
    at({ ...plain, host }, { ...all, NO_PROXY: noProxy }) === undefined;
  const cases: [noProxy: string, host: string, excepted: boolean][] = [
    ['*', 'c.example', true],
    ['a.example, ,C.EXAMPLE', 'c.example', true],
    ['.example', 'c.example', true],
    ['*.example', 'c.example', true],
    ['example', 'cexample', false],
    ['c.example:4318', 'c.example', true],
    ['c.example:80', 'c.example', false],
    ['10.0.0.0/8', '10.1.2.3', true],
    ['10.0.0.0/8', '11.1.2.3', false],
    ['10.0.0.0/x', '10.1.2.3', false],
    ['1.2.3', '4.1.2.3', false],
    ['fd00::1', 'fd00::1', true],
    ['[fd00::1]:4318', 'fd00::1', true],
  ];
  for (const [noProxy, host, excepted] of cases) assert.equal(excepts(noProxy, host), excepted, `${noProxy} ${host}`);
});

test('a destination whose protocol is told is not asked', async () => {
  const told = target({ to: 'otlp-grpc', url: 'http://localhost:1' });
  assert.equal((await askProtocol(told))!.url, told.url);
  const nowhere = target({ to: 'none', otherwise: { to: 'otlp-http', url: 'http://localhost:1' } });
  assert.equal((await askProtocol(nowhere))!.to, 'none');
});

test('the console gets a line for each span and log record; one that cannot be written is refused', async () => {
  const out = new PassThrough();
  const spans = encode(
    { resourceSpans: [{ scopeSpans: [{ spans: [{ name: 'a' }, { name: 'b' }] }, {}] }, {}] },
    TracesRequest,
  );
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'shop' } }] };
  const logs = encode(
    { resourceLogs: [{ resource, scopeLogs: [{ logRecords: [{ severityNumber: 9 }] }, {}] }, {}] },
    LogsRequest,
  );
  assert.equal((await consoleTransport('traces', out).send(spans)).outcome, 'accepted');
  assert.equal((await consoleTransport('logs', out).send(logs)).outcome, 'accepted');
  assert.equal((await consoleTransport('logs', out).send(encode({}, LogsRequest))).outcome, 'accepted');
  const lines = String(out.read())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ span, logRecord }) => span?.name ?? logRecord.severityNumber),
    ['a', 'b', 9],
  );
  assert.deepEqual(lines[2].resource.attributes, resource.attributes);

  const gone = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
  const transport = consoleTransport('traces', gone);
  const answer = await transport.send(spans);
  assert.deepEqual(answer, { outcome: 'refused', reason: 'the console: EPIPE', errorType: '_OTHER' });
  transport.close();
  assert.equal(gone.listenerCount('error'), 0);
});
