import assert from 'node:assert/strict';
import { test } from 'node:test';
import { targetPath, targetQuery } from '#src/http/request-target.js';
import { syntheticType } from '#src/http/synthetic-user-agent.js';
import { redactArguments, redactedNames, redactQuery, redactUrl } from '#src/secret-name.js';
import { listen } from './traced-server.js';

test('a method that is not known is _OTHER, named HTTP, with the original kept', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end());
  await request('/dav', { method: 'PROPFIND' });
  const { name, attributes } = await span();
  assert.equal(name, 'HTTP');
  assert.equal(attributes['http.request.method'], '_OTHER');
  assert.equal(attributes['http.request.method_original'], 'PROPFIND');
});

test('the request target is split like a URL', () => {
  for (const [target, path, query] of [
    ['/', '/', undefined],
    ['/a/b?c=d&e', '/a/b', 'c=d&e'],
    ['/a?', '/a', undefined],
    ['/?x=?', '/', 'x=?'],
    ['http://example.org/a?b=c', '/a', 'b=c'],
    ['http://example.org', '/', undefined],
    ['http://example.org?b=c', '/', 'b=c'],
    ['*', '*', undefined],
  ] as const) {
    assert.equal(targetPath(target), path, target);
    assert.equal(targetQuery(target), query, target);
  }
});

test('credentials in the query are redacted, the rest is kept', () => {
  for (const [query, expected] of [
    ['page=2&sort=name', 'page=2&sort=name'],
    ['sig=abc&x=1', 'sig=REDACTED&x=1'],
    ['a=b&X-Goog-Signature=q', 'a=b&X-Goog-Signature=REDACTED'],
    ['AWSAccessKeyId=AK&Signature=s', 'AWSAccessKeyId=REDACTED&Signature=REDACTED'],
    ['access_token=t&api_key=k&client_secret=s', 'access_token=REDACTED&api_key=REDACTED&client_secret=REDACTED'],
    ['password=hunter2', 'password=REDACTED'],
    ['p%61ssword=hunter2&x=1', 'p%61ssword=REDACTED&x=1'],
    ['tokens=3&sigma=2', 'tokens=3&sigma=2'],
  ] as const) {
    assert.equal(redactQuery(query), expected);
  }
});

test('synthetic user agents are told from people', () => {
  assert.equal(syntheticType('Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'), 'bot');
  assert.equal(syntheticType('Mozilla/5.0 (compatible; bingbot/2.0)'), 'bot');
  assert.equal(syntheticType('kube-probe/1.29'), 'test');
  assert.equal(syntheticType('Mozilla/5.0 (Windows NT 10.0) AlwaysOn'), 'test');
  assert.equal(syntheticType('Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0'), undefined);
  assert.equal(syntheticType('curl/8.5.0'), undefined);
});

test('user_agent.synthetic.type is on the span', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end());
  await request('/', { headers: { 'user-agent': 'Googlebot/2.1' } });
  assert.equal((await span()).attributes['user_agent.synthetic.type'], 'bot');
});

test('listed headers are captured, credentials never in clear', async (t) => {
  const { request, span } = await listen(
    t,
    (_request, response) => {
      response.setHeader('x-cache', ['HIT', 'edge']);
      response.setHeader('set-cookie', 'id=1');
      response.end();
    },
    {
      captureHeaders: {
        request: ['X-Tenant', 'authorization', 'x-internal-note'],
        response: ['x-cache', 'Set-Cookie', 'x-absent'],
        sanitize: ['internal'],
      },
    },
  );
  await request('/', { headers: { 'x-tenant': 't1', authorization: 'Bearer abc', 'x-internal-note': 'n' } });
  const { attributes } = await span();
  assert.deepEqual(attributes['http.request.header.x-tenant'], ['t1']);
  assert.deepEqual(attributes['http.request.header.authorization'], ['[REDACTED]']);
  assert.deepEqual(attributes['http.request.header.x-internal-note'], ['[REDACTED]']);
  assert.deepEqual(attributes['http.response.header.x-cache'], ['HIT', 'edge']);
  assert.deepEqual(attributes['http.response.header.set-cookie'], ['[REDACTED]']);
  assert.equal(attributes['http.response.header.x-absent'], undefined);
});

test('headers to capture come from the environment', async (t) => {
  process.env.OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST = 'x-tenant, x-plan';
  process.env.OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE = 'x-cache';
  process.env.OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS = 'plan';
  t.after(() => {
    for (const name of Object.keys(process.env)) {
      if (name.startsWith('OTEL_INSTRUMENTATION_HTTP_')) delete process.env[name];
    }
  });
  const { request, span } = await listen(t, (_request, response) => {
    response.setHeader('x-cache', 'MISS');
    response.end();
  });
  await request('/', { headers: { 'x-tenant': 't1', 'x-plan': 'gold' } });
  const { attributes } = await span();
  assert.deepEqual(attributes['http.request.header.x-tenant'], ['t1']);
  assert.deepEqual(attributes['http.request.header.x-plan'], ['[REDACTED]']);
  assert.deepEqual(attributes['http.response.header.x-cache'], ['MISS']);
});

test('the sampler sees the attributes that the span starts with', async (t) => {
  const { BasicTracerProvider, SamplingDecision } = await import('@opentelemetry/sdk-trace-base');
  let seen: Record<string, unknown> = {};
  const sampler = {
    shouldSample(...[, , , , attributes]: [unknown, unknown, unknown, unknown, Record<string, unknown>]) {
      seen = { ...attributes };
      return { decision: SamplingDecision.NOT_RECORD };
    },
    toString: () => 'seeing',
  };
  const { request } = await listen(t, (_request, response) => response.end(), {
    tracerProvider: new BasicTracerProvider({ sampler: sampler as never }),
  });
  await request('/health');
  for (const name of ['http.request.method', 'url.path', 'url.scheme', 'server.address', 'server.port']) {
    assert.notEqual(seen[name], undefined, name);
  }
  assert.equal(seen['url.path'], '/health');
});

test('credentials are known by their names: in queries, in headers, on the command line', () => {
  const secret = [
    'password',
    'passwd',
    'secret',
    'token',
    'access_token',
    'reset_token',
    'api_key',
    'apikey',
    'auth',
    'session',
    'sid',
    'otp',
    'SAMLResponse',
    'user[password]',
    'user.password',
    'sig',
    'Signature',
    'AWSAccessKeyId',
    'X-Goog-Signature',
    'client_secret',
    'X-Amz-Security-Token',
    'X-Amz-Credential',
    'db-password',
    'Access-Token',
    'refreshToken',
    'id_token',
    'jwt',
    'code',
    'password_confirmation',
    'user[password_confirmation]',
    'newPassword2',
    'passcode',
    'pass',
    'auth_key',
    'signing-key',
    'subscription-key',
    'mfa_token',
    'unsubscribeToken',
    'id_token_hint',
    'oauth_token_secret',
    'client_assertion',
    'code_verifier',
    'verificationCode',
    'secret_id',
    'hmac',
    'SAMLRequest',
    'SAMLart',
    'wresult',
    'PHPSESSID',
    'JSESSIONID',
    'credentials[user][sid]',
  ];
  const plain = [
    'id',
    'page',
    'author',
    'keyword',
    'design',
    'resign',
    'tokens',
    'sigma',
    'pageToken',
    'coder',
    'session_count',
    'passage',
    'passenger',
    'next_token',
    'zipcode',
    'country_code',
    'key',
    'sort-key',
    'monkey',
    'client_assertion_type',
    'password_policy',
    'authority',
  ];
  for (const name of secret) {
    assert.equal(redactQuery(`a=1&${name}=hunter2&b=2`), `a=1&${name}=REDACTED&b=2`);
    assert.equal(redactQuery(`${encodeURIComponent(name)}=hunter2`), `${encodeURIComponent(name)}=REDACTED`);
  }
  for (const name of plain) assert.equal(redactQuery(`${name}=1&sid=`), `${name}=1&sid=REDACTED`);
  assert.equal(redactQuery('pin=1&user[PIN]=2&id=3', redactedNames(['pin'])), 'pin=REDACTED&user[PIN]=REDACTED&id=3');
  assert.deepEqual(
    redactArguments(['node', '--token', 'x', '--db-password=y', '-v', '--id', '7', 'API_KEY=z', '--secret', '--next']),
    [
      'node',
      '--token',
      'REDACTED',
      '--db-password=REDACTED',
      '-v',
      '--id',
      '7',
      'API_KEY=REDACTED',
      '--secret',
      '--next',
    ],
  );
});

test('URLs on the command line and in headers have no credentials, wherever these are in them', () => {
  for (const [url, expected] of [
    [
      'postgres://app:hunter2@db:5432/shop?sslmode=require',
      'postgres://REDACTED:REDACTED@db:5432/shop?sslmode=require',
    ],
    ['redis://:hunter2@cache', 'redis://REDACTED:REDACTED@cache'],
    ['https://hunter2@api/x', 'https://REDACTED:REDACTED@api/x'],
    ['//u:hunter2@api/x', '//REDACTED:REDACTED@api/x'],
    ['mongodb://u:hunter@2@a,b/x', 'mongodb://REDACTED:REDACTED@a,b/x'],
    ['https://api/@scope/x?to=a@b', 'https://api/@scope/x?to=a@b'],
    ['/cb#access_token=hunter2&state=1', '/cb#access_token=REDACTED&state=1'],
    ['/cb?a=1#id_token=hunter2', '/cb?a=1#id_token=REDACTED'],
    ['/cb?token=hunter2#top', '/cb?token=REDACTED#top'],
    ['0; url=/next?sid=hunter2', '0; url=/next?sid=REDACTED'],
    ['</a?token=hunter2>; rel=next, <//u:hunter2@b/>', '</a?token=REDACTED; rel=next, <//REDACTED:REDACTED@b/>'],
    ['/plain', '/plain'],
  ] as const) {
    assert.equal(redactUrl(url), expected);
  }
  assert.deepEqual(
    redactArguments([
      '--database-url=postgres://app:hunter2@db/shop',
      'redis://:hunter2@cache',
      '--env=API_TOKEN=hunter2',
      'https://a/?token=hunter2&b=1',
      '--set=a=b',
      '--config=./a.json',
    ]),
    [
      '--database-url=postgres://REDACTED:REDACTED@db/shop',
      'redis://REDACTED:REDACTED@cache',
      '--env=API_TOKEN=REDACTED',
      'https://a/?token=REDACTED&b=1',
      '--set=a=b',
      '--config=./a.json',
    ],
  );
});

test('a client cannot make redaction slow: what it sends is searched in linear time', () => {
  const time = (length: number) => {
    const hostile = ['password1', 'a', '//', '//@', 'token', 'x-', '?', '=', 'refresh', '%', '[', ':'].flatMap(
      (piece) => {
        const text = piece.repeat(length / piece.length);
        return [text, `?${text}=1`, `token=${text}`, `${text}!`, `?${text}!=1`];
      },
    );
    const start = performance.now();
    for (const text of hostile) [redactQuery(text), redactUrl(text), redactArguments([text])];
    return performance.now() - start;
  };
  time(1000);
  // 16 KiB is what Node takes of headers: a quadratic search takes about a second for each of some.
  const taken = time(16_384);
  assert.ok(taken < 2_000, `${taken} ms`);
});

test('captured headers of credentials are redacted, and so are queries of captured URLs', async (t) => {
  const names = [
    'apikey',
    'x-access-token',
    'x-vault-token',
    'private-token',
    'x-api-key',
    'authorization',
    'cookie',
    'x-auth-key',
    'x-functions-key',
    'ocp-apim-subscription-key',
    'x-amz-server-side-encryption-customer-key',
    'x-hub-signature-256',
    'stripe-signature',
    'x-goog-iap-jwt-assertion',
    'x-github-otp',
    'x-forwarded-access-token',
    'x-csrf-token',
    'x-authentication',
    'proxy-authorization',
    'x-ms-client-credential',
    'idempotency-key',
    'x-status-code',
    'x-request-id',
    'referer',
  ];
  const { request, span } = await listen(
    t,
    (_request, response) => response.writeHead(302, { location: '/next?token=hunter2&a=1' }).end(),
    { captureHeaders: { request: names, response: ['location'] }, redactQueryParams: ['ticket'] },
  );
  const headers = Object.fromEntries(
    names.map((name) => [name, name === 'referer' ? 'http://a/?ticket=1&b=2' : 'hunter2']),
  );
  await request('/?ticket=7&x=1', { headers });
  const { attributes } = await span();
  const captured = names.map((name) => [name, (attributes[`http.request.header.${name}`] as string[])[0]]);
  assert.deepEqual(
    captured.filter(([, value]) => value !== '[REDACTED]'),
    [
      ['idempotency-key', 'hunter2'],
      ['x-status-code', 'hunter2'],
      ['x-request-id', 'hunter2'],
      ['referer', 'http://a/?ticket=REDACTED&b=2'],
    ],
  );
  assert.deepEqual(attributes['http.response.header.location'], ['/next?token=REDACTED&a=1']);
  assert.equal(attributes['url.query'], 'ticket=REDACTED&x=1');
});
