import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Environment } from '#src/config/environment.js';
import { resolveHttp } from '#src/config/http.js';
import type { HttpTracingConfig } from '#src/config/types.js';
import { forwardedClient } from '#src/http/forwarded.js';
import { listen } from './traced-server.js';

function client(
  trustProxy: NonNullable<HttpTracingConfig['trustProxy']>,
  headers: Record<string, string>,
  peer = '10.0.0.1',
) {
  return forwardedClient(headers, peer, resolveHttp({ trustProxy }, new Environment({})).trustProxy!);
}

test('by default the headers of proxies are not believed', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end());
  await request('/', {
    headers: { 'x-forwarded-for': '1.2.3.4', forwarded: 'for=1.2.3.4', 'x-forwarded-proto': 'https' },
  });
  const { attributes } = await span();
  assert.equal(attributes['client.address'], '127.0.0.1');
  assert.equal(attributes['url.scheme'], 'http');
});

test('behind a trusted proxy, address, scheme and host are the client’s; the peer stays the proxy', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end(), { trustProxy: ['127.0.0.0/8'] });
  await request('/', {
    headers: { 'x-forwarded-for': '1.2.3.4', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example' },
  });
  const { attributes } = await span();
  assert.equal(attributes['client.address'], '1.2.3.4');
  assert.equal(attributes['network.peer.address'], '127.0.0.1');
  assert.equal(attributes['url.scheme'], 'https');
  assert.equal(attributes['server.address'], 'shop.example');
  assert.equal(attributes['server.port'], 443);
});

test('how far the chain is believed', () => {
  const headers = { 'x-forwarded-for': '6.6.6.6, 1.2.3.4, 10.0.0.2' };
  assert.equal(client(true, headers).address, '6.6.6.6');
  assert.equal(client(1, headers).address, '10.0.0.2');
  assert.equal(client(2, headers).address, '1.2.3.4');
  assert.equal(client(['10.0.0.0/8'], headers).address, '1.2.3.4');
  assert.equal(client(['10.0.0.0/8'], headers, '8.8.8.8').address, '8.8.8.8');
  assert.equal(client(['2001:db8::/32'], { 'x-forwarded-for': '1.2.3.4' }, '2001:db8::1').address, '1.2.3.4');
});

test('Forwarded (RFC 7239) wins, with quotes, ports, IPv6 and names that are no address', () => {
  assert.deepEqual(
    client(true, {
      forwarded: 'for="[2001:db8:cafe::17]:4711";proto=https;host=a.example',
      'x-forwarded-for': '1.1.1.1',
    }),
    { address: '2001:db8:cafe::17', scheme: 'https', host: 'a.example' },
  );
  assert.equal(client(true, { forwarded: 'For=192.0.2.60:8080; Proto=HTTP' }).address, '192.0.2.60');
  assert.equal(client(true, { forwarded: 'for=_hidden' }).address, '10.0.0.1');
  assert.equal(client(true, { forwarded: 'for=unknown, garbage;;=' }).address, '10.0.0.1');
});

test('hostile values never throw and never become a scheme', () => {
  for (const value of [',,,', ';', '=', 'for=', 'for="', '[', ']:', '1.2.3.4:', ' ', '%', 'a'.repeat(10_000)]) {
    client(true, { forwarded: value });
    client(true, { 'x-forwarded-for': value, 'x-forwarded-proto': value });
  }
  assert.equal(client(true, { 'x-forwarded-proto': 'javascript' }).scheme, undefined);
});
