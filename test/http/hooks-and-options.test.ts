import assert from 'node:assert/strict';
import http, { type RequestListener, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { SpanKind } from '@opentelemetry/api';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ForktraceError, type HttpRequest, type HttpTracingConfig, traceServer } from 'forktrace';
import { listen } from './traced-server.js';

test('excluded URLs have no span: from code, from the environment, by key', async (t) => {
  process.env.OTEL_NODE_EXCLUDED_URLS = 'never-read-when-the-key-is-set';
  process.env.OTEL_NODE_SHOP_EXCLUDED_URLS = '/healthz$, ^http://127[.]0[.]0[.]1:\\d+/metrics';
  t.after(() => {
    delete process.env.OTEL_NODE_EXCLUDED_URLS;
    delete process.env.OTEL_NODE_SHOP_EXCLUDED_URLS;
  });
  const { request, spans } = await listen(t, (_request, response) => response.end(), {
    excludeUrlsEnvKey: 'SHOP',
    excludeUrls: ['/static/', /\.PNG$/gi],
  });
  for (const path of ['/healthz', '/metrics?x', '/static/a.js', '/cat.png', '/cat.png', '/kept']) await request(path);
  assert.deepEqual(
    (await spans(1)).map((span) => span.attributes['url.path']),
    ['/kept'],
  );
});

test('a pattern that is no regular expression stops the start with the option and the value', () => {
  assert.throws(
    () => traceServer(http.createServer(), { excludeUrls: ['('] }),
    (error) => error instanceof ForktraceError && error.message.startsWith('Option http.excludeUrls[0]: got "("'),
  );
  assert.throws(
    () => traceServer(http.createServer(), { trustProxy: ['not-an-address'] }),
    (error) => error instanceof ForktraceError && error.message.includes('http.trustProxy[0]'),
  );
  assert.throws(
    () => traceServer(http.createServer(), { captureHeaders: { sanitize: ['['] } }),
    (error) => error instanceof ForktraceError && error.message.includes('http.captureHeaders.sanitize[0]'),
  );
  assert.throws(() => traceServer((() => {}) as never), { code: 'FORKTRACE_CONFIG_INVALID' });
});

test('spanDetails names the span and adds attributes; the request hook gets span and request', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end(), {
    spanDetails: (request) => ({ name: `shop ${request.url}`, attributes: { 'shop.tenant': 't1' } }),
    serverRequestHook: (span, request) => void span.setAttribute('hook.saw', request.method!),
  });
  await request('/x');
  const { name, attributes } = await span();
  assert.equal(name, 'shop /x');
  assert.equal(attributes['shop.tenant'], 't1');
  assert.equal(attributes['hook.saw'], 'GET');
});

test('hooks that throw or reject are recorded on the span, and the request is served', async (t) => {
  const { request, span } = await listen(t, (_request, response) => void setImmediate(() => response.end('fine')), {
    spanDetails: () => {
      throw new Error('details');
    },
    serverRequestHook: (async () => {
      throw new Error('request hook');
    }) as never,
  });
  assert.equal((await request('/')).body, 'fine');
  const { events } = await span();
  assert.deepEqual(
    events.map((event) => event.attributes?.['exception.message']),
    ['details', 'request hook'],
  );
});

test('message spans: one per body chunk received, the response start, and one per chunk sent, with their hooks', async (t) => {
  const received: unknown[] = [];
  const sent: unknown[] = [];
  const { connect, spans } = await listen(
    t,
    (request, response) => {
      request.resume();
      request.on('end', () => {
        response.write('one');
        response.end('two');
      });
    },
    {
      messageSpans: true,
      clientRequestHook: (_span, _request, message) => void received.push(message),
      clientResponseHook: (span, _response, message) => {
        sent.push(message);
        span.setAttribute('hook', true);
        throw new Error('a hook may throw');
      },
    },
  );
  const socket = await connect();
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
  const ended = await spans(5);
  assert.deepEqual(
    ended.map((span) => [span.name, span.kind, span.attributes['http.message.type']]),
    [
      ['POST http receive', SpanKind.INTERNAL, 'http.request'],
      ['POST http send', SpanKind.INTERNAL, 'http.response.start'],
      ['POST http send', SpanKind.INTERNAL, 'http.response.body'],
      ['POST http send', SpanKind.INTERNAL, 'http.response.body'],
      ['POST', SpanKind.SERVER, undefined],
    ],
  );
  const server = ended.at(-1)!;
  for (const span of ended.slice(0, -1)) assert.equal(span.parentSpanContext?.spanId, server.spanContext().spanId);
  assert.deepEqual(received, [{ type: 'http.request', body: Buffer.from('body') }]);
  assert.equal(sent.length, 3);
  assert.equal(ended[1]!.events[0]?.attributes?.['exception.message'], 'a hook may throw');
});

test('no message spans by default', async (t) => {
  const { request, span } = await listen(t, (request, response) => {
    request.resume();
    request.on('end', () => response.end('x'));
  });
  await request('/', { method: 'POST', body: 'b' });
  await span();
});

test('an untrusted caller starts a new trace with a link to its own', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end(), { trustIncomingContext: false });
  await request('/', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });
  const ended = await span();
  const { parentSpanContext, links } = ended;
  assert.equal(parentSpanContext, undefined);
  assert.equal(links[0]?.context.traceId, '0af7651916cd43dd8448eb211c80319c');
  assert.equal(links[0]?.context.spanId, 'b7ad6b7169203331');
  assert.notEqual(ended.spanContext().traceId, '0af7651916cd43dd8448eb211c80319c');
});

for (const header of ['traceresponse', 'traceparent'] as const) {
  test(`the response carries ${header} when asked to`, async (t) => {
    const { request, span } = await listen(t, (_request, response) => response.end(), { responseHeader: header });
    const { headers } = await request('/');
    const { traceId, spanId } = (await span()).spanContext();
    assert.equal(headers[header], `00-${traceId}-${spanId}-01`);
  });
}

test("the caller's own tracer provider is used", async (t) => {
  const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = await import(
    '@opentelemetry/sdk-trace-base'
  );
  const own = new InMemorySpanExporter();
  const { request, exporter } = await listen(t, (_request, response) => response.end(), {
    tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(own)] }),
  });
  await request('/');
  assert.equal(own.getFinishedSpans().length, 1);
  assert.equal(exporter.getFinishedSpans().length, 0);
});

test('an excluded request suppresses what it does, in its body events too; a request that needs a parent does not', async (t) => {
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new InMemorySpanExporter())] });
  const recording: boolean[] = [];
  const work = () => {
    const span = provider.getTracer('app').startSpan('query');
    recording.push(span.isRecording());
    span.end();
  };
  const app: RequestListener = (request, response) => {
    work();
    request.on('data', work);
    request.on('end', () => response.end());
  };
  const cases: [HttpTracingConfig, boolean][] = [
    [{ excludeUrls: ['/health'] }, false],
    [{ ignoreIncomingRequestHook: (request: HttpRequest) => request.url === '/health' }, false],
    [{ requireParentforIncomingSpans: true }, true],
  ];
  for (const [options, recorded] of cases) {
    recording.length = 0;
    const { request, exporter, spans } = await listen(t, app, options);
    await request('/health', { method: 'POST', body: 'x' });
    assert.deepEqual(recording, [recorded, recorded]);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await request('/kept', { headers: { traceparent } });
    await spans(1);
    assert.deepEqual(
      exporter.getFinishedSpans().map((span) => span.attributes['url.path']),
      ['/kept'],
    );
  }
});

test('an ignoreIncomingRequestHook that throws ignores nothing', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end(), {
    ignoreIncomingRequestHook: () => {
      throw new Error('hook');
    },
  });
  assert.equal((await request('/')).status, 200);
  await span();
});

test('responseHook and applyCustomAttributesOnSpan get what those of instrumentation-http get', async (t) => {
  const { request, span } = await listen(
    t,
    (_request, response) => {
      response.statusCode = 201;
      response.end();
    },
    {
      responseHook: (span, response) => void span.setAttribute('hook.began', response.statusCode),
      applyCustomAttributesOnSpan: (span, request, response) =>
        void span.setAttributes({ 'custom.url': request.url, 'custom.status': response.statusCode }),
    },
  );
  await request('/x');
  const { attributes } = await span();
  assert.equal(attributes['hook.began'], 200);
  assert.equal(attributes['custom.url'], '/x');
  assert.equal(attributes['custom.status'], 201);
});

test('a hook that rejects after its span has ended is said once', async (t) => {
  const warnings: string[] = [];
  const heard = (warning: NodeJS.ErrnoException) =>
    void warnings.push(`${warning.code} ${warning.message.slice(0, 40)}`);
  process.on('warning', heard);
  t.after(() => process.off('warning', heard));
  let ended = () => {};
  const after = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const { request, spans } = await listen(t, (_request, response) => response.end(), {
    serverRequestHook: (async () => {
      await after;
      throw new Error('too late');
    }) as never,
  });
  await request('/');
  await request('/');
  await spans(2);
  ended();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(warnings, ['FORKTRACE_HOOK_FAILED An HTTP hook rejected after its span had']);
});

test('hooks that are async by mistake, and reject, end no process: the request is served and traced', async (t) => {
  const rejecting = (async () => {
    // A rejection that nobody handles fails the test.
    throw new Error('rejects');
  }) as never;
  const { request, spans } = await listen(t, (_request, response) => void setImmediate(() => response.end('fine')), {
    ignoreIncomingRequestHook: rejecting,
    spanDetails: rejecting,
    serverRequestHook: rejecting,
    responseHook: rejecting,
    applyCustomAttributesOnSpan: rejecting,
    clientRequestHook: rejecting,
    clientResponseHook: rejecting,
  });
  assert.equal((await request('/')).body, 'fine');
  const { events } = (await spans(3)).find(({ kind }) => kind === SpanKind.SERVER)!;
  assert.deepEqual(
    events.map((event) => event.attributes?.['exception.message']),
    ['spanDetails returned a promise', 'rejects', 'rejects'],
  );
});

test('receive and send spans are left out separately, with their hooks', async (t) => {
  for (const [excludeSpans, left] of [
    [['receive'], ['POST', 'POST http send', 'POST http send']],
    [['send'], ['POST', 'POST http receive']],
    [['receive', 'send'], ['POST']],
  ] as const) {
    const { request, spans } = await listen(
      t,
      (request, response) => {
        request.resume();
        request.on('end', () => response.end('fine'));
      },
      { messageSpans: true, excludeSpans: [...excludeSpans] },
    );
    await request('/', { method: 'POST', body: 'some' });
    const names = (await spans(left.length)).map(({ name }) => name).sort();
    assert.deepEqual(names, [...left].sort());
  }
});

test('the response header is exposed to pages of other origins, beside what the app exposes', async (t) => {
  const heads: Record<string, (response: ServerResponse) => void> = {
    '/none': () => {},
    '/set': (response) => response.setHeader('Access-Control-Expose-Headers', 'X-One'),
    '/given': (response) => response.writeHead(200, { 'Access-Control-Expose-Headers': 'X-One, X-Two' }),
    '/listed': (response) =>
      response.writeHead(200, ['access-control-expose-headers', 'X-One', 'x-other', '1'] as never),
    '/all': (response) => response.setHeader('Access-Control-Expose-Headers', '*'),
  };
  const { request } = await listen(
    t,
    (request, response) => {
      heads[request.url!]!(response);
      response.end();
    },
    { responseHeader: 'traceresponse' },
  );
  const exposed: unknown[] = [];
  for (const path of Object.keys(heads)) {
    const { headers } = await request(path);
    assert.match(String(headers.traceresponse), /^00-/, path);
    exposed.push(headers['access-control-expose-headers']);
  }
  assert.deepEqual(exposed, [
    'traceresponse',
    'X-One, traceresponse',
    'X-One, X-Two, traceresponse',
    'X-One, traceresponse',
    '*',
  ]);
});

test('writeHead with a list records all values of a header', async (t) => {
  const { request, spans, exporter } = await listen(
    t,
    (request, response) => {
      const list = request.url === '/flat' ? ['x-a', '1', 'x-b', '2', 'X-A', '3'] : { 'x-a': ['1', '3'] };
      response.writeHead(200, list as never).end();
    },
    { captureHeaders: { response: ['X-A'] } },
  );
  for (const path of ['/flat', '/object']) {
    await request(path);
    const [span] = await spans(1);
    exporter.reset();
    assert.deepEqual(span!.attributes['http.response.header.x-a'], ['1', '3'], path);
  }
});
