// What answers is not always an OTLP endpoint, nor always well: each answer is understood, within its time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  constants,
  createServer as createHttp2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { createTransport } from '#src/shipper/transport.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { exportRequest } from './export-request.js';
import { journalScene, PLAIN_EXPORT } from './journal-scene.js';

/** For what never answers. */
const NEVER_MS = 500;
const TOKEN = 'Bearer 0123456789';
/** A partial success: 1 span is rejected. */
const REJECTED = Buffer.from('0a020801', 'hex');
const OTLP = 'Content-Type: application/x-protobuf\r\n';
const OK = `HTTP/1.1 200 OK\r\n${OTLP}Content-Length: 0\r\n\r\n`;

const accepted = { outcome: 'accepted' };
const retry = (reason: RegExp) => ({ outcome: 'retry', reason });
const never = (reason: RegExp) => ({ ...retry(reason), withinMs: NEVER_MS });
const blocked = (reason: RegExp) => ({ outcome: 'blocked', reason });

type Expected = { withinMs?: number } & Record<string, unknown>;

async function listen<T extends Server>(t: TestContext, server: T): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

async function assertResult(
  t: TestContext,
  to: 'otlp-grpc' | 'otlp-http',
  port: number,
  { withinMs, ...expected }: Expected,
) {
  const url = `http://127.0.0.1:${port}${to === 'otlp-http' ? '/v1/traces' : ''}`;
  const headers = { authorization: TOKEN };
  const transport = await createTransport({
    ...PLAIN_EXPORT,
    to,
    url,
    headers,
    timeoutMs: withinMs ?? PLAIN_EXPORT.timeoutMs,
  });
  t.after(() => transport.close());
  const result = await transport.send(exportRequest(3));
  for (const [key, value] of Object.entries(expected)) {
    const found = result[key as keyof typeof result];
    if (value instanceof RegExp) assert.match(String(found), value);
    else assert.equal(found, value, `${key} in ${JSON.stringify(result)}`);
  }
}

/** One byte after the other, without an end. */
function trickle(socket: Socket, head: string, bytes: string): void {
  socket.write(head);
  const timer = setInterval(() => socket.write(bytes), 20);
  socket.on('close', () => clearInterval(timer));
}

const withBody = (headers: string, body: Uint8Array) => (socket: Socket) => {
  socket.write(`HTTP/1.1 ${headers}Content-Length: ${body.length}\r\n\r\n`);
  socket.end(body);
};

const ENCODINGS: [string, (bytes: Buffer) => Buffer][] = [
  ['gzip', (bytes) => gzipSync(bytes)],
  ['X-GZIP', (bytes) => gzipSync(bytes)],
  ['deflate', (bytes) => deflateSync(bytes)],
  // As some servers do, without zlib's header.
  ['deflate', (bytes) => deflateRawSync(bytes)],
  ['br', (bytes) => brotliCompressSync(bytes)],
  ['deflate, gzip', (bytes) => gzipSync(deflateSync(bytes))],
];

const HTTP: [what: string, answer: (socket: Socket) => void, expected: Expected][] = [
  [
    'a whole one, one byte at a time',
    async (socket) => {
      for (const byte of OK) if (!socket.write(byte)) await once(socket, 'drain');
    },
    accepted,
  ],
  ['one in chunks', (s) => s.end(`HTTP/1.1 200 OK\r\n${OTLP}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`), accepted],
  ['one after a hint', (s) => s.end(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}`), accepted],
  ['twice the same', (s) => s.end(OK + OK), accepted],
  ['nothing but a status', (s) => s.end('HTTP/1.1 204 No Content\r\n\r\n'), accepted],
  ['one of HTTP/1.0', (s) => s.write(`HTTP/1.0 200 OK\r\n${OTLP}\r\n`, () => s.end(REJECTED)), { rejected: 1 }],
  ...ENCODINGS.flatMap(([encoding, encode]): typeof HTTP => [
    [
      `one that is compressed as ${encoding}`,
      withBody(`200 OK\r\n${OTLP}Content-Encoding: ${encoding}\r\n`, encode(REJECTED)),
      { rejected: 1 },
    ],
    [
      `words that are compressed as ${encoding}`,
      withBody(`403 No\r\nContent-Encoding: ${encoding}\r\n`, encode(Buffer.from('your plan is over'))),
      blocked(/HTTP 403 No: your plan is over/),
    ],
  ]),
  [
    'a partial success of some type of protobuf',
    withBody(`200 OK\r\nContent-Type: application/protobuf\r\n`, REJECTED),
    { rejected: 1 },
  ],
  [
    'one that rejects more than it was sent',
    withBody(`200 OK\r\n${OTLP}`, Buffer.from('0a020863', 'hex')),
    { rejected: 99 },
  ],
  [
    'a thousand hints, and one',
    (s) => s.end('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'.repeat(1000) + OK),
    accepted,
  ],
  [
    'hints without an end',
    (s) => trickle(s, '', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n'),
    never(/no answer within/),
  ],
  [
    'one in chunks with trailers',
    (s) =>
      s.end(
        `HTTP/1.1 200 OK\r\n${OTLP}Transfer-Encoding: chunked\r\n\r\n4\r\n${REJECTED.toString('latin1')}\r\n0\r\nX-A: b\r\n\r\n`,
      ),
    { rejected: 1 },
  ],
  [
    'a part, and then a reset',
    (s) => s.write(`HTTP/1.1 200 OK\r\n${OTLP}Content-Length: 9\r\n\r\na`, () => s.resetAndDestroy()),
    retry(/ECONNRESET|closed before the answer/),
  ],
  [
    'what is not compressed, though it says so',
    withBody(`200 OK\r\n${OTLP}Content-Encoding: gzip\r\n`, REJECTED),
    { rejected: 1 },
  ],
  [
    'another protocol',
    (s) => s.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    retry(/without an answer/),
  ],
  ['that of a shell', (s) => s.end('SSH-2.0-OpenSSH_9.9\r\n'), retry(/Parse Error/)],
  ['bytes of no protocol', (s) => s.end(Buffer.from([0, 1, 2, 255])), retry(/Parse Error/)],
  ['headers without an end', (s) => trickle(s, 'HTTP/1.1 200 OK\r\n', 'X-A: b\r\n'), never(/no answer within 500 ms/)],
  [
    'a body without an end',
    (s) => trickle(s, `HTTP/1.1 200 OK\r\n${OTLP}Content-Length: 9999\r\n\r\n`, 'a'),
    never(/no answer within/),
  ],
  ['none', () => {}, never(/no answer within/)],
  ['headers of 100 KB', (s) => s.end(`HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`), retry(/Header overflow/)],
  ['a body of 8 MiB', withBody(`200 OK\r\n${OTLP}`, Buffer.alloc(8 * 1024 * 1024)), retry(/more than 4194304 bytes/)],
  [
    'headers, and then an end',
    (s) => s.end(`HTTP/1.1 200 OK\r\n${OTLP}Content-Length: 9\r\n\r\n`),
    retry(/closed before the answer was complete/),
  ],
  ['an end', (s) => s.end(), retry(/socket hang up/)],
  [
    'a chunk of no length',
    (s) => s.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
    retry(/chunk size/),
  ],
];

test('answers over HTTP', { concurrency: true }, async (t) => {
  await Promise.all(
    HTTP.map(([what, answer, expected]) =>
      t.test(what, async (t) => {
        const server = createServer((socket) => {
          let isAnswered = false;
          socket.on('data', () => {
            if (!isAnswered) answer(socket);
            isAnswered = true;
          });
        });
        await assertResult(t, 'otlp-http', await listen(t, server), expected);
      }),
    ),
  );
});

for (const status of [300, 301, 302, 303, 307, 308]) {
  test(`HTTP ${status}: the token goes nowhere else`, async (t) => {
    let strangers = 0;
    const elsewhere = await listen(
      t,
      createServer(() => strangers++),
    );
    const location = `Location: http://me:word@127.0.0.1:${elsewhere}/v1/traces?token=secret\r\n`;
    const server = createServer((socket) => {
      socket.once('data', () => socket.end(`HTTP/1.1 ${status} Moved\r\n${location}Content-Length: 0\r\n\r\n`));
    });
    const reason = new RegExp(`redirects to http://127.0.0.1:${elsewhere}/v1/traces \\(HTTP ${status}\\)`);
    await assertResult(t, 'otlp-http', await listen(t, server), blocked(reason));
    assert.equal(strangers, 0);
  });
}

test('over HTTP: what has not left this process says nothing of what is in it', async (t) => {
  const closed = createServer();
  const port = await listen(t, closed);
  closed.close();
  await assertResult(t, 'otlp-http', port, { ...retry(/ECONNREFUSED/), doubtful: false });
  const plain = await listen(
    t,
    createServer((socket) => socket.once('data', () => socket.end('what?'))),
  );
  const transport = await createTransport({
    ...PLAIN_EXPORT,
    to: 'otlp-http',
    url: `https://127.0.0.1:${plain}/v1/traces`,
  });
  t.after(() => transport.close());
  const result = await transport.send(exportRequest(3));
  assert.deepEqual([result.outcome, 'doubtful' in result && result.doubtful], ['retry', false]);
});

/** Of a gRPC server: headers, a message and trailers. */
function grpcAnswer(trailers: Record<string, string>, message: Uint8Array = Buffer.alloc(0), headers = {}) {
  return (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...headers }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end(message);
  };
}

/** Only the first one. */
function refusing(refuse: (stream: ServerHttp2Stream) => void) {
  let isFirst = true;
  return (stream: ServerHttp2Stream) => {
    if (isFirst) refuse(stream);
    else grpcAnswer({ 'grpc-status': '0' }, EMPTY)(stream);
    isFirst = false;
  };
}

const page = (status: number) => (stream: ServerHttp2Stream) => {
  stream.respond({ ':status': status, 'content-type': 'text/html', location: 'http://127.0.0.1:1/' });
  stream.end('<html><title>Sign in</title></html>');
};
const EMPTY = Buffer.alloc(5);

const GRPC: [what: string, answer: (stream: ServerHttp2Stream) => void, expected: Expected][] = [
  ['success', grpcAnswer({ 'grpc-status': '0' }, EMPTY), accepted],
  [
    'success with a message that is none',
    grpcAnswer({ 'grpc-status': '0' }, Buffer.from('0000000003ffffff', 'hex')),
    accepted,
  ],
  ['a page', page(200), blocked(/what it answers is no OTLP/)],
  ['a redirect', page(307), blocked(/HTTP status code 307/)],
  ['a proxy whose upstream is away', page(502), retry(/HTTP status code 502/)],
  ['a proxy that takes no such sizes', page(413), { outcome: 'too-large' }],
  ['a firewall', page(403), { outcome: 'blocked', doubtful: true }],
  [
    'a message of 4 GiB, it says',
    grpcAnswer({ 'grpc-status': '0' }, Buffer.from('00ffffffff', 'hex')),
    blocked(/no OTLP/),
  ],
  ['a code that is none', grpcAnswer({ 'grpc-status': 'x' }), { outcome: 'bad-data', reason: /^UNKNOWN: / }],
  ['a code that nobody knows', grpcAnswer({ 'grpc-status': '99' }), { outcome: 'bad-data', reason: /^99: / }],
  [
    'an encoding that nobody knows',
    grpcAnswer({ 'grpc-status': '0' }, Buffer.from('010000000100', 'hex'), { 'grpc-encoding': 'snappy' }),
    { outcome: 'bad-data', reason: /^UNKNOWN: an answer that gRPC does not know/ },
  ],
  [
    'what a firewall of Envoy’s refuses',
    (stream) =>
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7' }, { endStream: true }),
    { outcome: 'blocked', doubtful: true },
  ],
  ['headers of 60 KB', grpcAnswer({ 'grpc-status': '0' }, EMPTY, { x: 'a'.repeat(60_000) }), accepted],
  ['a reset of the stream', (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM), retry(/UNAVAILABLE/)],
  [
    'a reset of the stream, and an answer to the next one',
    refusing((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)),
    accepted,
  ],
  ['that it wants calm', (stream) => stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM), blocked(/RESOURCE_EXHAUSTED/)],
  [
    'a farewell to the connection, and an answer',
    (stream) => {
      stream.session!.goaway();
      grpcAnswer({ 'grpc-status': '0' }, EMPTY)(stream);
    },
    accepted,
  ],
  ['an end of the connection', (stream) => stream.session!.destroy(), retry(/UNAVAILABLE/)],
  ['none', () => {}, never(/DEADLINE_EXCEEDED/)],
];

test('answers over gRPC', { concurrency: true }, async (t) => {
  await Promise.all(
    GRPC.map(([what, answer, expected]) =>
      t.test(what, async (t) => {
        const server = createHttp2Server();
        server.on('session', (session: ServerHttp2Session) => session.on('error', () => {}));
        server.on('stream', (stream: ServerHttp2Stream) => {
          stream.on('error', () => {});
          stream.once('end', () => answer(stream)).resume();
        });
        await assertResult(t, 'otlp-grpc', await listen(t, server as unknown as Server), expected);
      }),
    ),
  );
});

test('a farewell to a gRPC connection that has grown old refuses a request on its way: it is sent again over a new one', async (t) => {
  const server = createHttp2Server();
  const ids: number[] = [];
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => {}));
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    ids.push(stream.id!);
    // What was answered before is the last that it has looked at.
    if (ids.length === 2) stream.session!.goaway(constants.NGHTTP2_NO_ERROR, ids[0]);
    else stream.once('end', () => grpcAnswer({ 'grpc-status': '0' }, EMPTY)(stream)).resume();
  });
  const url = `http://127.0.0.1:${await listen(t, server as unknown as Server)}`;
  const transport = await createTransport({ ...PLAIN_EXPORT, to: 'otlp-grpc', url });
  t.after(() => transport.close());
  for (let n = 0; n < 2; n++) assert.equal((await transport.send(exportRequest(3))).outcome, 'accepted');
  assert.deepEqual(ids, [1, 3, 1]);
});

for (const [to, outcome, reason] of [
  ['otlp-http', 'blocked', /^HTTP 407 Proxy Authentication Required$/],
  ['otlp-grpc', 'retry', /The proxy 127\.0\.0\.1:\d+ makes none: it may be away, want another login/],
] as const) {
  test(`${to}: a proxy that wants a login is named, and its own is not told`, async (t) => {
    const refusal = 'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n';
    const port = await listen(
      t,
      createServer((socket) => socket.once('data', () => socket.end(refusal))),
    );
    process.env.HTTP_PROXY = `http://me:secret@127.0.0.1:${port}`;
    t.after(() => delete process.env.HTTP_PROXY);
    const url = `http://hidden.test:4318${to === 'otlp-http' ? '/v1/traces' : ''}`;
    const transport = await createTransport({ ...PLAIN_EXPORT, to, url });
    t.after(() => transport.close());
    const result = await transport.send(exportRequest(3));
    assert.equal(result.outcome, outcome);
    assert.match('reason' in result ? result.reason : '', reason);
    assert.doesNotMatch(JSON.stringify(result), /secret/);
  });
}

for (const [what, settings, expected] of [
  ['a byte at a time', { initialWindowSize: 1 }, accepted],
  ['one request at a time', { maxConcurrentStreams: 1 }, accepted],
  ['no request', { maxConcurrentStreams: 0 }, never(/DEADLINE_EXCEEDED/)],
  ['no header', { maxHeaderListSize: 1 }, blocked(/RESOURCE_EXHAUSTED/)],
] as const) {
  test(`a gRPC server that takes ${what}`, async (t) => {
    const server = createHttp2Server({ settings });
    server.on('session', (session: ServerHttp2Session) => session.on('error', () => {}));
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      stream.once('end', () => grpcAnswer({ 'grpc-status': '0' }, EMPTY)(stream)).resume();
    });
    await assertResult(t, 'otlp-grpc', await listen(t, server as unknown as Server), expected);
  });
}

describe('an endpoint that wants to be asked again at once, each time, is asked at growing intervals', () => {
  for (const to of ['otlp-grpc', 'otlp-http'] as const) {
    test(to, async (t) => {
      const { open, write, ship } = await journalScene(t);
      const endpoint = await OtlpEndpoint.start(t);
      endpoint.answerWith({ answer: 'unavailable', retryAfterMs: 0 });
      write(open(), 10, 'span');
      ship({ to, url: to === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl });
      const requests = await endpoint.waitForRequests(4);
      // Half of 250 ms at least, of 500 and of 1,000.
      assert.ok(requests[3]!.at - requests[0]!.at >= 870, `${requests[3]!.at - requests[0]!.at} ms`);
      endpoint.answerOk();
      await endpoint.waitForSpans(10);
    });
  }
});
