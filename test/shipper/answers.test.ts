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
      ['{"partialSuccess":{}}', { 'content-type': 'text/plain; charset=utf-8' }],
      ['{"status":"ok","errors":[]}', json],
      ['', { 'content-type': 'text/html' }],
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
    ['a CDN whose origin is away', answer(521), { outcome: 'retry', doubtful: true }],
    ['a firewall', answer(406), { outcome: 'blocked', doubtful: true }],
    ['a status that is none', answer(999), { outcome: 'blocked' }],
    [
      'something like 200 with a word',
      answer(202, 'queued', { 'content-type': 'text/plain' }),
      { outcome: 'accepted' },
    ],
    ['something like 200 with a page', answer(203, '<html>', { 'content-type': 'text/html' }), { outcome: 'blocked' }],
    [
      'a redirect with a login',
      answer(302, '', { location: 'https://me:pass@x/login?token=t' }),
      { reason: /redirects to https:\/\/x\/login \(/ },
    ],
    ['half a rejected item', answer(200, '{"partialSuccess":{"rejectedSpans":1.5}}', json), { rejected: 1 }],
    [
      'rejected items by protobuf’s own names',
      answer(200, '{"partial_success":{"rejected_spans":"2","error_message":"why"}}', json),
      { rejected: 2, message: 'why' },
    ],
    [
      'rejected items in what is called text',
      answer(200, '{"partialSuccess":{"rejectedSpans":2}}', { 'content-type': 'text/plain' }),
      { rejected: 2 },
    ],
    ['JSON of another kind', answer(200, 'null', json), { outcome: 'accepted', rejected: 0 }],
    [
      'an error with 200',
      answer(200, '{"error":"no such token"}', json),
      { outcome: 'blocked', reason: /no such token/ },
    ],
    ['errors with 200', answer(200, '{"errors":["no such token"]}', json), { outcome: 'blocked' }],
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

  test('try again: after seconds, or at a date', () => {
    const after = (value?: string) => {
      const result = answer(503, '', value === undefined ? {} : { 'retry-after': value });
      assert.equal(result.outcome, 'retry');
      return (result as { afterMs?: number }).afterMs;
    };
    assert.equal(after(), undefined);
    assert.equal(after('2'), 2000);
    assert.equal(after('9999'), 30_000);
    assert.equal(after('soon'), undefined);
    // No time at all: as often as without it.
    for (const value of ['0', '-5', '1.5', '', 'Thu, 01 Jan 1970 00:00:00 GMT']) assert.equal(after(value), undefined);
    assert.equal(after('Fri, 31 Dec 2100 00:00:00 GMT'), 30_000);
  });

  test('a web page is named by its title', () => {
    const page = (html: string) => answer(403, html, { 'content-type': 'text/html' }) as { reason: string };
    assert.match(page('<html><title> Sign in </title></html>').reason, /a web page "Sign in"$/);
    assert.match(page('<!doctype html><html></html>').reason, /a web page$/);
  });
});

describe('over gRPC', () => {
  const answer = (codeName: string, details = 'why') => resultOfGrpc({ codeName, details }, SMALL);

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

  test('what a proxy answers in the place of the server, by its status', () => {
    const of = (status: number) => answer('UNKNOWN', `Received HTTP status code ${status}`);
    const outcomes = [
      [301, 'blocked'],
      [400, 'blocked'],
      [403, 'blocked'],
      [413, 'too-large'],
      [429, 'retry'],
      [431, 'blocked'],
      [500, 'bad-data'],
      [502, 'retry'],
    ] as const;
    for (const [status, outcome] of outcomes) assert.equal(of(status).outcome, outcome, String(status));
  });

  test('an answer that is too long is not a request that is too large', () => {
    const ofPage = answer('RESOURCE_EXHAUSTED', 'Received message larger than max (1752460652 vs 4194304)');
    assert.equal(ofPage.outcome, 'blocked');
    assert.match((ofPage as { reason: string }).reason, /what it answers is no OTLP/);
  });

  test('what is certain', () => {
    assert.equal((answer('INVALID_ARGUMENT') as { certain?: boolean }).certain, true);
    assert.equal((answer('INTERNAL') as { certain?: boolean }).certain, false);
  });
});
