import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ResolvedExport } from '#src/config/resolved.js';
import { endpointOf } from '#src/shipper/endpoint-url.js';
import { likelyMistake } from '#src/shipper/likely-mistake.js';
import { proxyFor } from '#src/shipper/proxy.js';
import { createTransport } from '#src/shipper/transport.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { tempDir } from '../process/temp-dir.js';
import { exportRequest } from './export-request.js';
import { PLAIN_EXPORT } from './journal-scene.js';
import { listen, proxy } from './proxy-server.js';

async function mistake(target: Partial<ResolvedExport>): Promise<string> {
  const whole = { ...PLAIN_EXPORT, timeoutMs: 3000, ...target };
  const transport = await createTransport(whole);
  const result = await transport.send(exportRequest(1));
  transport.close();
  assert.ok(result.outcome === 'retry' || result.outcome === 'blocked', `${JSON.stringify(result)}`);
  return likelyMistake(whole, result);
}

test('a protocol or an encryption that the port does not speak is named', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  assert.match(await mistake({ to: 'otlp-grpc', url: endpoint.httpBaseUrl }), /speaks HTTP\/1\.1.*otlp-http/);
  assert.match(await mistake({ to: 'otlp-http', url: `${endpoint.grpcUrl}/v1/traces` }), /HTTP\/2 only.*otlp-grpc/);
  const secure = endpoint.httpUrl.replace('http:', 'https:');
  assert.match(await mistake({ to: 'otlp-http', url: secure }), /plain text, the URL says TLS: try http:/);
  assert.match(
    await mistake({ to: 'otlp-grpc', url: endpoint.grpcUrl.replace('http:', 'https:') }),
    /plain text, the URL says TLS: try http:/,
  );
  const dir = await tempDir(t);
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', [...make, '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'pipe' });
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => response.end());
  const url = `http://127.0.0.1:${await listen(t, server)}`;
  assert.match(
    await mistake({ to: 'otlp-http', url: `${url}/v1/traces` }),
    /speaks TLS, the URL says plain text: try https:/,
  );
  assert.match(await mistake({ to: 'otlp-grpc', url }), /speaks TLS, the URL says plain text: try https:/);
});

test('a path that is there twice, and the other protocol’s port, are named', async () => {
  const of = (to: 'otlp-grpc' | 'otlp-http', url: string) =>
    likelyMistake({ ...PLAIN_EXPORT, to, url }, { outcome: 'blocked', reason: 'HTTP 404' });
  assert.match(await of('otlp-http', 'http://c:4318/v1/traces/v1/traces'), /twice/);
  assert.match(await of('otlp-http', 'http://c:4317/v1/traces'), /4317 is usually that of OTLP\/gRPC/);
  assert.match(await of('otlp-grpc', 'http://c:4318'), /4318 is usually that of OTLP\/HTTP/);
  assert.match(await of('otlp-http', 'http://c:4318/traces'), /usually ends in \/v1\/traces/);
  assert.equal(await of('otlp-http', 'http://c:4318/v1/traces'), '');
});

test('an endpoint that does not take gzip, in the words of HTTP, Go and Java, is told from one that takes nothing', async () => {
  const of = (reason: string, compression: 'gzip' | 'none' = 'gzip') =>
    likelyMistake(
      { ...PLAIN_EXPORT, to: 'otlp-grpc', url: 'http://c:4317', compression },
      { outcome: 'blocked', reason },
    );
  const answers = [
    'HTTP 415 Unsupported Media Type',
    'UNIMPLEMENTED: grpc: Decompressor is not installed for grpc-encoding "gzip"',
    "UNIMPLEMENTED: Can't find decompressor for gzip",
  ];
  for (const answer of answers) {
    assert.match(await of(answer), /may not take gzip.*OTEL_EXPORTER_OTLP_COMPRESSION=none/);
    assert.equal(await of(answer, 'none'), '');
  }
  assert.equal(await of('UNIMPLEMENTED: unknown service'), '');
});

test('a proxy of the environment is used, by gRPC, by HTTP, with its login; NO_PROXY names exceptions', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const variables = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
  t.after(() => {
    for (const name of variables) delete process.env[name];
  });
  const login = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  for (const [to, variable, url, port, asked] of [
    [
      'otlp-grpc',
      'HTTPS_PROXY',
      'http://collector.test:4317',
      new URL(endpoint.grpcUrl).port,
      'CONNECT collector.test:4317',
    ],
    [
      'otlp-http',
      'HTTP_PROXY',
      'http://collector.test:4318/v1/traces',
      new URL(endpoint.httpUrl).port,
      'POST http://collector.test:4318/v1/traces',
    ],
  ] as const) {
    const through = await proxy(t, Number(port));
    process.env[variable] = through.url;
    const before = endpoint.received().length;
    const transport = await createTransport({ ...PLAIN_EXPORT, to, url });
    const result = await transport.send(exportRequest(2));
    transport.close();
    assert.equal(result.outcome, 'accepted', JSON.stringify(result));
    assert.equal(endpoint.received().length, before + 2);
    assert.deepEqual(through.asked, [`${asked} ${login}`]);
    delete process.env[variable];
  }
  const at = (url: string, noProxy: string) =>
    proxyFor(endpointOf({ ...PLAIN_EXPORT, url })!, { https_proxy: 'http://p:3128', NO_PROXY: noProxy });
  assert.deepEqual(at('https://c.example:4317', ''), { host: 'p', port: 3128, login: undefined });
  for (const exception of ['*', 'c.example', '.example', 'example', 'a, c.example:4317']) {
    assert.equal(at('https://c.example:4317', exception), undefined, exception);
  }
  for (const other of ['c.example:4318', 'xample', 'other']) assert.ok(at('https://c.example:4317', other), other);
  for (const [url, exception] of [
    ['https://c.example', 'c.example:443'],
    ['https://10.1.2.3:4317', '10.0.0.0/8'],
    ['https://10.1.2.3:4317', '10.1.2.3'],
    ['https://[fd00::1:2]:4317', 'fd00::/8'],
    ['https://[fd00::1:2]:4317', '[fd00::]/8'],
    ['https://[::1]:4317', '0:0:0:0:0:0:0:1'],
    ['https://[::1]:4317', '[::1]:4317'],
  ] as const) {
    assert.equal(at(url, exception), undefined, `${url}, NO_PROXY=${exception}`);
  }
  for (const [url, exception] of [
    ['https://11.1.2.3:4317', '10.0.0.0/8'],
    ['https://10.1.2.3:4317', '10.1.2.0/33'],
    ['https://10.1.2.3:4317', '10.1.2.0/'],
    ['https://[fd00::1:2]:4317', 'fe80::/10'],
    ['https://[fd00::1:2]:4317', '10.0.0.0/8'],
    ['https://[::1]:4317', '[::1]:4318'],
  ] as const) {
    assert.ok(at(url, exception), `${url}, NO_PROXY=${exception}`);
  }
});

test('a login in a URL is taken as it is meant: escaped, with a percent sign of its own, without a user', () => {
  for (const [login, read] of [
    ['me:p%40ss', 'me:p@ss'],
    ['me:100%', 'me:100%'],
    ['me', 'me:'],
    [':secret', ':secret'],
  ] as const) {
    const url = `http://${login}@c.example:4318/v1/traces`;
    const endpoint = endpointOf({ ...PLAIN_EXPORT, to: 'otlp-http', url })!;
    assert.equal(endpoint.login, read);
    assert.equal(endpoint.name, 'http://c.example:4318/v1/traces');
    assert.equal(proxyFor(endpoint, { HTTP_PROXY: `http://${login}@p:3128` })?.login, read);
  }
});

test('a proxy that takes connections and says nothing is given up after the timeout, and asked again', async (t) => {
  let asked = 0;
  const silent = createServer((socket) => {
    asked++;
    socket.on('error', () => {}).resume();
  });
  await listen(t, silent);
  process.env.HTTPS_PROXY = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const transport = await createTransport({
    ...PLAIN_EXPORT,
    ...{ to: 'otlp-http', url: 'https://collector.test:4318/v1/traces', timeoutMs: 200 },
  });
  delete process.env.HTTPS_PROXY;
  t.after(() => transport.close());
  for (let nth = 1; nth <= 3; nth++) {
    const result = await transport.send(exportRequest(1));
    assert.equal(result.outcome, 'retry');
    assert.match(result.reason, /no answer within 200 ms/);
  }
  assert.equal(asked, 3);
});

for (const to of ['otlp-grpc', 'otlp-http'] as const) {
  test(`${to}: a Unix socket is an endpoint`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const path = join(await tempDir(t), 'otlp.sock');
    const port = Number(new URL(to === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl).port);
    const server = createServer((socket) => {
      const onward = connect(port, '127.0.0.1');
      for (const end of [socket, onward]) end.on('error', () => {});
      onward.pipe(socket).pipe(onward);
    });
    await listen(t, server, path);
    const transport = await createTransport({ ...PLAIN_EXPORT, to, url: `unix://${path}` });
    const result = await transport.send(exportRequest(2));
    transport.close();
    assert.equal(result.outcome, 'accepted', JSON.stringify(result));
    assert.equal(endpoint.received().length, 2);
  });
}
