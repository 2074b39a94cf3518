// What each answer of an endpoint means.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type HttpAnswer, resultOfGrpc, resultOfHttp } from '#src/shipper/answer.js';

const SMALL = 1000;
const LARGE = 1024 * 1024;

describe('over HTTP', () => {
  const answer = (status: number, body = '', headers: HttpAnswer['headers'] = {}, requestBytes = SMALL) =>
    resultOfHttp({ status, statusText: 'Text', headers, body: Buffer.from(body) }, requestBytes);
  const json = { 'content-type': 'application/json' };

  test('what is taken: no body, OTLP, JSON, a word', () => {
    for (const [body, headers] of [
      ['', {}],
      ['', { 'content-type': 'application/x-protobuf' }],
      ['{}', json],
      ['OK', { 'content-type': 'text/plain' }],
    ] as const)
      assert.equal(answer(200, body, headers).outcome, 'accepted', body);
    assert.equal(answer(200, '<html></html>', { 'content-type': 'text/html' }).outcome, 'blocked');
    assert.equal(answer(200, `ok${' '.repeat(80)}but not OTLP`).outcome, 'blocked');
  });

  const outcomes: [what: string, result: ReturnType<typeof answer>, expected: object][] = [
    [
      'a redirect',
      answer(302, '', { location: 'http://x/' }),
      { outcome: 'blocked', reason: /redirects to http:\/\/x\/ / },
    ],
    ['a redirect to nowhere', answer(301), { outcome: 'blocked', reason: /it redirects \(HTTP 301\)/ }],
    ['too large', answer(413), { outcome: 'too-large' }],
    ['bad data', answer(400), { outcome: 'bad-data', certain: true }],
    ['bad data of a large request', answer(400, '', {}, LARGE), { outcome: 'too-large' }],
    ['bad data that is about the size', answer(400, 'request body too large'), { outcome: 'too-large' }],
    ['an ill server', answer(500), { outcome: 'bad-data', certain: false }],
    ['no such path', answer(404), { outcome: 'blocked', missing: true }],
    ['no login', answer(401), { outcome: 'blocked' }],
    ['the words of JSON', answer(401, '{"message":"who are you"}', json), { reason: /^HTTP 401 Text: who are you$/ }],
    ['JSON without words', answer(401, '{"error":1}', json), { reason: /^HTTP 401 Text: .*error/ }],
    ['JSON that is none', answer(401, '{', json), { reason: /^HTTP 401 Text: / }],
  ];
  for (const [what, result, expected] of outcomes) {
    test(what, () => {
      for (const [key, value] of Object.entries(expected)) {
        const found = result[key as keyof typeof result];
        if (value instanceof RegExp) assert.match(String(found), value);
        else assert.equal(found, value, key);
      }
    });
  }

  test('try again: at once, after seconds, or at a date', () => {
    const after = (value?: string) => {
      const result = answer(503, '', value === undefined ? {} : { 'retry-after': value });
      assert.equal(result.outcome, 'retry');
      return (result as { afterMs?: number }).afterMs;
    };
    assert.equal(after(), undefined);
    assert.equal(after('2'), 2000);
    assert.equal(after('9999'), 30_000);
    assert.equal(after('soon'), undefined);
    assert.equal(after('Thu, 01 Jan 1970 00:00:00 GMT'), 0);
    assert.equal(after('Fri, 31 Dec 2100 00:00:00 GMT'), 30_000);
  });

  test('a web page is named by its title', () => {
    const page = (html: string) => answer(403, html, { 'content-type': 'text/html' }) as { reason: string };
    assert.match(page('<html><title> Sign in </title></html>').reason, /a web page "Sign in"$/);
    assert.match(page('<!doctype html><html></html>').reason, /a web page$/);
  });
});

describe('over gRPC', () => {
  const answer = (codeName: string, details = 'why', code = 13) => resultOfGrpc({ code, codeName, details });

  test('each code', () => {
    const outcomes: Record<string, string[]> = {
      retry: ['CANCELLED', 'DEADLINE_EXCEEDED', 'ABORTED', 'OUT_OF_RANGE', 'DATA_LOSS', 'UNAVAILABLE'],
      blocked: ['RESOURCE_EXHAUSTED', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND', 'UNIMPLEMENTED'],
      'bad-data': ['INVALID_ARGUMENT', 'INTERNAL', 'UNKNOWN'],
    };
    for (const [outcome, names] of Object.entries(outcomes))
      for (const name of names) assert.equal(answer(name).outcome, outcome, name);
  });

  test('what is too large, whatever the code', () => {
    for (const name of ['RESOURCE_EXHAUSTED', 'INVALID_ARGUMENT', 'INTERNAL'])
      assert.equal(answer(name, 'grpc: received message larger than max (5 vs. 4)').outcome, 'too-large', name);
  });

  test('what is certain, and what is said of a failure that has no code', () => {
    assert.equal((answer('INVALID_ARGUMENT') as { certain?: boolean }).certain, true);
    assert.equal((answer('INTERNAL') as { certain?: boolean }).certain, false);
    assert.equal((answer('', 'broken pipe', -1) as { reason: string }).reason, 'broken pipe');
  });
});
