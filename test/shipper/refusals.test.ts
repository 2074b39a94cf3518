import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene } from './journal-scene.js';

const KIB = 'x'.repeat(1000);

function assertEach(endpoint: OtlpEndpoint, expected: number): void {
  const names = endpoint.received().map(({ name }) => name);
  assert.equal(new Set(names).size, expected);
  assert.equal(names.length, expected);
}

for (const to of ['otlp-grpc', 'otlp-http'] as const) {
  const url = (endpoint: OtlpEndpoint) => (to === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl);

  test(`${to}: a request that is too large goes in parts, each span once, and the size that passed is remembered`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t, { maxRequestBytes: 256 * 1024 });
    const journal = open();
    write(journal, 2000, 'early', KIB);
    const { shipper } = ship({ to, url: url(endpoint) });
    await endpoint.waitForSpans(2000);
    const before = endpoint.requests.length;
    write(journal, 1000, 'late', KIB);
    await endpoint.waitForSpans(3000);
    assertEach(endpoint, 3000);
    await waitFor(() => shipper.stats().shipped === 3000, 'the count');
    assert.equal(shipper.stats().refused, 0);
    const late = endpoint.requests.slice(before);
    assert.ok(
      late.every(({ bytes }) => bytes > 32 * 1024 || late.length < 10),
      'the parts are not smaller than need be',
    );
    await waitFor(() => warnings.some(({ message }) => /refuses a request of \d+ bytes/.test(message)), 'a word');
    assert.equal(warnings.filter(({ code }) => code === 'FORKTRACE_SPANS_REFUSED').length, 0);
  });

  test(`${to}: where larger requests are taken again, they come, after a while`, async (t) => {
    const { open, write, ship } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    // Of some size or other, as what is gathered is up to the moment.
    endpoint.answerWith({ answer: 'fail', grpc: status.RESOURCE_EXHAUSTED, http: 413, message: 'larger than max' }, 4);
    const journal = open();
    write(journal, 1500, 'early', KIB);
    const { shipper } = ship({ to, url: url(endpoint) }, { requestGrowsMs: 1 });
    await endpoint.waitForSpans(1500);
    await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
    let written = 1500;
    await waitFor(() => {
      if (shipper.stats().lagBytes === 0) write(journal, 1500, `late ${written}`, KIB);
      written = Math.max(written, shipper.stats().read);
      return endpoint.requests.slice(4).some(({ bytes, answer }) => answer === 'ok' && bytes > 1024 * 1024);
    }, 'a large request');
    assert.equal(shipper.stats().refused, 0);
  });

  test(`${to}: what finds every request too large, however small, has refused none of their spans`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    endpoint.answerWith({ answer: 'fail', grpc: status.RESOURCE_EXHAUSTED, http: 413, message: 'larger than max' });
    write(open(), 40, 'span');
    const { shipper } = ship({ to, url: url(endpoint) });
    await waitFor(() => warnings.some(({ message }) => /refuses everything/.test(message)), 'a word');
    assert.equal(shipper.stats().refused, 0);
    endpoint.answerOk();
    await endpoint.waitForSpans(40);
    assertEach(endpoint, 40);
  });

  test(`${to}: only the span that alone is too large is refused`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t, { maxRequestBytes: 128 * 1024 });
    const journal = open();
    write(journal, 50, 'before', KIB);
    write(journal, 1, 'giant', 'x'.repeat(200_000));
    write(journal, 50, 'after', KIB);
    const { shipper } = ship({ to, url: url(endpoint) });
    await endpoint.waitForSpans(100);
    await waitFor(() => shipper.stats().refused === 1, 'the refusal');
    assertEach(endpoint, 100);
    await waitFor(() => warnings.some(({ message }) => /refused 1 span .* too large/.test(message)), 'a word');
  });

  test(`${to}: spans that are bad data are refused alone, wherever they are and whoever wrote them`, async (t) => {
    const { open, write, ship } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    const [good, bad, mixed] = [open('good'), open('bad'), open('mixed')];
    write(bad!, 300, 'bad');
    write(good!, 300, 'good');
    for (let n = 0; n < 10; n++) {
      write(mixed!, 20, `fine ${n}`);
      write(mixed!, 1, `bad ${n}`);
    }
    endpoint.answerWith({ answer: 'refuse-spans', named: /^bad/ });
    const { shipper } = ship({ to, url: url(endpoint) });
    await endpoint.waitForSpans(500);
    await waitFor(
      () => shipper.stats().refused === 310,
      () => `310 refusals: ${shipper.stats().refused}`,
    );
    assertEach(endpoint, 500);
    assert.equal(shipper.stats().lagBytes, 0);
  });

  test(`${to}: what refuses everything gets everything again, once it takes spans`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    endpoint.answerWith({ answer: 'invalid-argument' });
    write(open(), 500, 'span');
    const { shipper } = ship({ to, url: url(endpoint) });
    await waitFor(() => warnings.some(({ message }) => /refuses everything/.test(message)), 'a word');
    assert.equal(shipper.stats().refused, 0);
    endpoint.answerOk();
    await endpoint.waitForSpans(500);
    assertEach(endpoint, 500);
    assert.equal(shipper.stats().refused, 0);
    await waitFor(() => warnings.some(({ message }) => /accepts spans again/.test(message)), 'the end of it');
  });

  test(`${to}: what a success says besides is told, and what it rejects without a word is counted`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t);
    const said = (pattern: RegExp) =>
      waitFor(() => warnings.some(({ message }) => pattern.test(message)), `${pattern}`);
    const journal = open();
    endpoint.answerWith({ answer: 'partial-success', rejected: 0, message: 'deprecated: use another port' }, 1);
    write(journal, 5, 'first');
    const { shipper } = ship({ to, url: url(endpoint) });
    await said(/with a message: deprecated: use another port/);
    assert.equal(shipper.stats().refused, 0);
    endpoint.answerWith({ answer: 'partial-success', rejected: 2, message: '' }, 1);
    write(journal, 5, 'second');
    await said(/refused 2 spans for good: no reason given/);
    assert.deepEqual([shipper.stats().shipped, shipper.stats().refused], [8, 2]);
  });

  test(`${to}: a span that is too large is refused for good, the one beside it as bad data and then taken: it is not lost`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t, { maxRequestBytes: 128 * 1024 });
    endpoint.answerWith({ answer: 'invalid-argument' });
    const journal = open();
    write(journal, 1, 'giant', 'x'.repeat(200_000));
    write(journal, 1, 'span');
    const { shipper } = ship({ to, url: url(endpoint) });
    await waitFor(() => warnings.some(({ message }) => /refuses everything/.test(message)), 'a word');
    endpoint.answerOk();
    await endpoint.waitForSpans(1);
    await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
    assertEach(endpoint, 1);
    assert.deepEqual([shipper.stats().shipped, shipper.stats().refused], [1, 1]);
  });

  for (const times of [20, 60, 79, 130]) {
    test(`${to}: what refuses everything ${times} times, and then takes spans, has refused none for good`, async (t) => {
      const { open, write, ship } = await journalScene(t);
      const endpoint = await OtlpEndpoint.start(t);
      // Forty spans are alone after 39 refusals, and all of them refused after 79.
      endpoint.answerWith({ answer: 'invalid-argument' }, times);
      write(open(), 40, 'span');
      const { shipper } = ship({ to, url: url(endpoint) });
      await endpoint.waitForSpans(40);
      await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
      assertEach(endpoint, 40);
      assert.equal(shipper.stats().refused, 0);
    });
  }

  for (const [what, grpc, http] of [
    ['login', status.UNAUTHENTICATED, 401],
    ['permission', status.PERMISSION_DENIED, 403],
    ['address', status.UNIMPLEMENTED, 404],
  ] as const) {
    test(`${to}: a wrong ${what} keeps the spans, and is tried again`, async (t) => {
      const { open, write, ship, warnings } = await journalScene(t);
      const endpoint = await OtlpEndpoint.start(t);
      endpoint.answerWith({ answer: 'fail', grpc, http });
      write(open(), 20, 'span');
      const { shipper } = ship({ to, url: url(endpoint) });
      await waitFor(() => warnings.some(({ code }) => code === 'FORKTRACE_EXPORT_FAILED'), 'a word');
      const { message } = warnings.find(({ code }) => code === 'FORKTRACE_EXPORT_FAILED')!;
      assert.match(message, new RegExp(`${url(endpoint)} \\(OTLP/${to === 'otlp-grpc' ? 'gRPC' : 'HTTP'}\\)`));
      assert.match(message, to === 'otlp-grpc' ? new RegExp(status[grpc]!) : new RegExp(`HTTP ${http}`));
      endpoint.answerOk();
      await endpoint.waitForSpans(20);
      await waitFor(() => shipper.stats().shipped === 20, 'the count');
      assert.equal(shipper.stats().refused, 0);
    });
  }
}

/** An HTTP server that is told what to answer, on a free port. */
async function httpServer(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    request.once('end', () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`;
}

for (const [what, answer, said] of [
  [
    'a web page instead of OTLP',
    (_, r) => r.setHeader('content-type', 'text/html').end('<html><title>Welcome</title>'),
    /web page "Welcome"/,
  ],
  ['a server that says 200 to everything', (_, r) => r.end('Hello, I am some other program.'), /no OTLP answer/],
  [
    'a redirect',
    (_, r) => r.writeHead(302, { location: 'https://login.example/' }).end(),
    /redirects to https:\/\/login\.example/,
  ],
  ['a method that is not allowed', (_, r) => r.writeHead(405).end('POST? No.'), /405 Method Not Allowed: POST\? No\./],
] as [string, RequestListener, RegExp][]) {
  test(`otlp-http: ${what} keeps the spans and is told in its own words`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    let works = false;
    const url = await httpServer(t, (request, response) => (works ? response.end() : answer(request, response)));
    write(open(), 20, 'span');
    const { shipper } = ship({ to: 'otlp-http', url });
    await waitFor(() => warnings.some(({ message }) => said.test(message)), `${said}`);
    assert.equal(shipper.stats().refused, 0);
    works = true;
    await waitFor(() => shipper.stats().shipped === 20, 'the spans');
  });
}

test('a server that is ill is not taken for one that dislikes a span', async (t) => {
  const { open, write, ship } = await journalScene(t);
  let works = true;
  let answered = 0;
  const url = await httpServer(t, (_, response) => {
    answered++;
    response.writeHead(works ? 200 : 500).end();
  });
  const journal = open();
  write(journal, 20, 'early');
  const { shipper } = ship({ to: 'otlp-http', url });
  await waitFor(() => shipper.stats().shipped === 20, 'the first');
  works = false;
  answered = 0;
  write(journal, 200, 'late');
  await waitFor(() => answered > 3, 'several answers');
  works = true;
  await waitFor(
    () => shipper.stats().shipped === 220,
    () => `the rest: ${JSON.stringify(shipper.stats())}`,
  );
  assert.equal(shipper.stats().refused, 0);
});

test('control characters of an answer do not reach the terminal', async (t) => {
  const { open, write, ship, warnings } = await journalScene(t);
  const url = await httpServer(t, (_, response) =>
    response.writeHead(401).end('no\u001b[2J\u001b]0;pwned\u0007 \u202ecba'),
  );
  write(open(), 1, 'span');
  ship({ to: 'otlp-http', url });
  await waitFor(() => warnings.length > 0, 'a word');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  assert.doesNotMatch(warnings[0]!.message, /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.match(warnings[0]!.message, /401 Unauthorized: no \[2J \]0;pwned cba/);
});

test('an answer that trickles in is given up after timeoutMs in all', async (t) => {
  const { open, write, ship, warnings } = await journalScene(t);
  const url = await httpServer(t, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-protobuf' });
    const trickle = setInterval(() => response.write(Buffer.alloc(1)), 50);
    response.once('close', () => clearInterval(trickle));
  });
  write(open(), 1, 'span');
  ship({ to: 'otlp-http', url, timeoutMs: 500 });
  await waitFor(() => warnings.some(({ message }) => /no answer within 500 ms/.test(message)), 'a word', 5000);
});

test('a stop says how many spans stay behind, and where', async (t) => {
  const { dir, open, write, ship, warnings } = await journalScene(t);
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.answerWith({ answer: 'fail', grpc: status.UNAUTHENTICATED, http: 401 });
  write(open(), 33, 'span');
  const { shipper, done } = ship({ url: endpoint.grpcUrl });
  await waitFor(() => warnings.length > 0, 'a word');
  shipper.stop(5000);
  assert.equal(await done, false);
  assert.equal(shipper.left, 33);
  await waitFor(() => warnings.some(({ code }) => code === 'FORKTRACE_SPANS_LEFT'), 'a word');
  const { message } = warnings.find(({ code }) => code === 'FORKTRACE_SPANS_LEFT')!;
  assert.ok(message.startsWith(`33 spans for ${endpoint.grpcUrl}`), message);
  assert.ok(message.includes(dir), message);
});
