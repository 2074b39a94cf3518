import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import https from 'node:https';
import { test } from 'node:test';
import { cert, key } from './certificate.js';
import { listen } from './traced-server.js';

function get(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const url = { host: '127.0.0.1', port, path: '/a', agent: false, rejectUnauthorized: false } as const;
    https
      .get(url, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      })
      .on('error', reject);
  });
}

test('https: scheme, default port of the scheme, one span that ends when the response is out', async (t) => {
  const server = https.createServer({ key, cert }, (_request, response) => response.end('ok'));
  const { port, span } = await listen(t, server);
  assert.equal(await get(port), 200);
  const { attributes } = await span();
  assert.equal(attributes['url.scheme'], 'https');
  assert.equal(attributes['server.port'], port);
  assert.equal(attributes['http.response.status_code'], 200);
});

test('a secure HTTP/2 server that also speaks HTTP/1 has a span for either', async (t) => {
  const server = http2.createSecureServer({ key, cert, allowHTTP1: true }, (_request, response) => response.end('ok'));
  const { port, spans } = await listen(t, server);
  assert.equal(await get(port), 200);
  const session = http2.connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  const stream = session.request({ ':path': '/b' });
  stream.resume();
  await once(stream, 'close');
  const ended = await spans(2);
  assert.deepEqual(
    ended.map(({ attributes }) => [
      attributes['url.path'],
      attributes['url.scheme'],
      attributes['network.protocol.version'],
    ]),
    [
      ['/a', 'https', '1.1'],
      ['/b', 'https', '2'],
    ],
  );
});
