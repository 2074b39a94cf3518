// What frameworks and routers tell of a route, in the shapes that their versions have: the real packages are
// in frameworks.test.ts, in the versions that are installed there.
import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { context, ROOT_CONTEXT, SpanKind, type SpanOptions, type TracerProvider } from '@opentelemetry/api';
import { watchExpressApp, watchExpressLayers } from '#src/http/routes/express.js';
import { watchHapiRequest } from '#src/http/routes/hapi.js';
import { watchKoaContext } from '#src/http/routes/koa.js';
import { expectConnect } from '#src/http/routes/left-route.js';
import { watchNext } from '#src/http/routes/next.js';
import { watchRoutes } from '#src/http/routes/watch-routes.js';
import { listen } from './traced-server.js';

/** The name of the SERVER span of a request that is handled so. */
async function spanOf(
  t: TestContext,
  path: string,
  handle: (message: IncomingMessage, response: ServerResponse) => void,
) {
  const server = createServer((message, response) => {
    handle(message, response);
    response.end();
  });
  const { request, spans } = await listen(t, server);
  await request(path);
  return (await spans(1)).find(({ kind }) => kind === SpanKind.SERVER)!.name;
}

test("Next.js: the first route that its spans say is the request's, and its own SERVER span is INTERNAL", async (t) => {
  const said: [name: string, options: SpanOptions][] = [
    ['start', { kind: SpanKind.SERVER, attributes: {} }],
    ['not found', { attributes: { 'next.route': '/_not-found' } }],
    ['executing api route (app) /api/things/[id]', {}],
    ['error page', { attributes: { 'next.route': '/500-page' } }],
  ];
  const kinds: (SpanKind | undefined)[] = [];
  const names: string[] = [];
  const startSpan = (name: string, options: SpanOptions) => {
    kinds.push(options.kind);
    names.push(name);
  };
  const fake = {
    startSpan,
    startActiveSpan(name: string, options: SpanOptions, _parent: unknown, fn: (span: unknown) => unknown) {
      startSpan(name, options);
      return fn(undefined);
    },
  };
  const provider = { getTracer: (name: string) => (name === 'plain' ? 'plain' : fake) } as unknown as TracerProvider;
  watchNext(provider);
  assert.equal(provider.getTracer('plain') as unknown, 'plain');
  const tracer = provider.getTracer('next.js', '0.0.1');
  const name = await spanOf(t, '/api/things/3', () => {
    for (const [each, options] of said) tracer.startSpan(each, options);
    assert.equal(
      tracer.startActiveSpan('a', () => 1),
      1,
    );
    assert.equal(
      tracer.startActiveSpan('a', undefined as never, () => 1),
      1,
    );
    assert.equal(
      tracer.startActiveSpan('b', { kind: SpanKind.SERVER }, () => 2),
      2,
    );
    assert.equal(
      tracer.startActiveSpan('c', { kind: SpanKind.CLIENT }, context.active(), () => 3),
      3,
    );
    assert.equal((tracer.startActiveSpan as (name: string) => unknown)('nothing to call'), undefined);
    tracer.startSpan('d');
  });
  assert.equal(name, 'GET /api/things/[id]');
  assert.deepEqual(names, [...said.map(([each]) => each), 'a', 'a', 'b', 'c', 'd']);
  const { INTERNAL, CLIENT } = SpanKind;
  assert.deepEqual(kinds, [
    INTERNAL,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    INTERNAL,
    CLIENT,
    undefined,
  ]);

  kinds.length = 0;
  context.with(ROOT_CONTEXT, () => tracer.startSpan('build', { kind: SpanKind.SERVER }));
  assert.deepEqual(kinds, [SpanKind.SERVER], 'outside of a request nothing is changed');
});

/** A layer as the router has it that Express 5 came with: what it matched last stays on it. */
class Layer {
  path: string | undefined;
  params: Record<string, string> | undefined;
  readonly route: { path: unknown } | undefined;
  readonly slash: boolean;
  readonly #pattern: RegExp | undefined;

  constructor(pattern: RegExp | undefined, route?: unknown, slash = false) {
    this.#pattern = pattern;
    this.route = route === undefined ? undefined : { path: route };
    this.slash = slash;
  }

  match(path: string): boolean {
    const match = this.#pattern?.exec(path);
    if (!match) return false;
    this.path = match[0];
    this.params = { ...match.groups };
    return true;
  }

  handleRequest(message: object, response: object): void {
    Object.assign(message, { handled: response });
  }

  handleError(_error: Error, message: object, response: object): void {
    this.handleRequest(message, response);
  }
}
watchExpressLayers(Layer.prototype);
watchExpressLayers(Layer.prototype);

const TENANT = new Layer(/^\/tenants\/(?<tenant>[^/]+)\/?/);
const PLAIN = new Layer(/^\/admin/);

const ENTERED: [what: string, layers: [baseUrl: string, layer: Layer][], route: string | undefined][] = [
  ['a route of the app', [['', new Layer(/^\/x$/, '/x')]], '/x'],
  ['a route with several paths', [['', new Layer(/^\/x$/, ['/x', /^\/y$/])]], '/x,/^\\/y$/'],
  [
    'a route below a mount',
    [
      ['/tenants/42', TENANT],
      ['/tenants/42', new Layer(/^\/o$/, '/o')],
    ],
    '/tenants/:tenant/o',
  ],
  [
    'the root of a mount',
    [
      ['/admin', PLAIN],
      ['/admin', new Layer(/^\/?$/, '/')],
    ],
    '/admin',
  ],
  [
    'a mount within a mount',
    [
      ['/admin', PLAIN],
      ['/admin/tenants/7', TENANT],
      ['/admin/tenants/7', new Layer(/^\/o$/, '/o')],
    ],
    '/admin/tenants/:tenant/o',
  ],
  [
    'middleware of a mounted router',
    [
      ['/admin', PLAIN],
      ['/admin', new Layer(/^\/?/, undefined, true)],
    ],
    '/admin',
  ],
  [
    'a mount that was left for another',
    [
      ['/admin', PLAIN],
      ['/tenants/1', TENANT],
    ],
    '/tenants/:tenant',
  ],
  [
    'a mount that is not understood',
    [
      ['/odd', new Layer(undefined)],
      ['/odd', new Layer(/^\/o$/, '/o')],
    ],
    undefined,
  ],
  [
    'a mount within one that is not understood',
    [
      ['/odd', new Layer(undefined)],
      ['/odd/admin', PLAIN],
      ['/odd/admin', new Layer(/^\/o$/, '/o')],
    ],
    undefined,
  ],
  ['a route whose mount nobody has seen', [['/hidden', new Layer(/^\/o$/, '/o')]], undefined],
  ['a segment that cannot be decoded', [['/tenants/%', TENANT]], '/tenants/:tenant'],
];

test('Express 5 before router 2.3: routes by the layers that a request enters, which keep what they matched', async (t) => {
  for (const [what, layers, route] of ENTERED) {
    const name = await spanOf(t, '/anything', (message, response) => {
      for (const [i, [baseUrl, layer]] of layers.entries()) {
        Object.assign(message, { baseUrl });
        const { path, params } = layer;
        if (i % 2 === 0) layer.handleRequest(message, response);
        else layer.handleError(new Error('x'), message, response);
        assert.deepEqual([layer.path, layer.params], [path, params], `${what}: the layer is as it was`);
        assert.equal((message as { handled?: unknown }).handled, response, `${what}: the layer is called`);
      }
    });
    assert.equal(name, route === undefined ? 'GET' : `GET ${route}`, what);
  }
  // A response of no traced request, and what is no layer at all.
  PLAIN.handleRequest({ baseUrl: '/admin' }, {});
  new Layer(/^\/x$/, '/x').handleRequest({}, {});
  assert.doesNotThrow(() => Layer.prototype.handleRequest.call({} as never, {}, {}));
});

test('what is no app is left alone, whatever it looks like', () => {
  const odd = [
    undefined,
    null,
    1,
    'x',
    {},
    [],
    () => {},
    { callback() {}, context: null },
    { stack: [], options: null },
  ];
  const apps = [{ fetch() {} }, { fetch() {}, router: {} }, Object.assign(() => {}, { stack: [{}] })];
  const throwing = Object.defineProperty(() => {}, '_router', {
    get() {
      throw new Error('not here');
    },
  });
  for (const app of [...odd, ...apps, throwing]) assert.doesNotThrow(() => watchRoutes(app));
  watchExpressApp(Object.assign(() => {}, { _router: { stack: [TENANT] } }));
});

test('connect: the mount is what `url` lacks of `originalUrl`, in lower case', async (t) => {
  expectConnect();
  const cases: [originalUrl: string | undefined, url: string, route: string][] = [
    ['/Admin/users?x=1', '/users?x=1', ' /admin'],
    ['/admin', '/', ' /admin'],
    ['/admin', '/admin', ''],
    ['/admin', '/other', ''],
    ['/', '/', ''],
    [undefined, '/admin', ''],
  ];
  for (const [originalUrl, url, route] of cases) {
    const name = await spanOf(t, '/x', (message) => Object.assign(message, { url, originalUrl }));
    assert.equal(name, `GET${route}`, `${originalUrl} ${url}`);
  }
  const left = (route: object, baseUrl?: string) =>
    spanOf(t, '/x', (message) => Object.assign(message, { route, baseUrl }));
  assert.equal(await left({ path: '/restify/:id' }), 'GET /restify/:id');
  assert.equal(await left({ path: '/:id' }, '/mounted'), 'GET', 'what is mounted elsewhere is not the whole');
  assert.equal(await left({ path: 7 }), 'GET');
});

test('Koa: the route that its router leaves on the context, below what koa-mount has taken off', async (t) => {
  const prototype = {};
  watchKoaContext(prototype);
  watchKoaContext(prototype);
  const koa = async (fields: object, route: unknown) => {
    let left: unknown;
    const name = await spanOf(t, '/x', (_message, response) => {
      const ctx = Object.assign(Object.create(prototype), { res: response }, fields);
      ctx._matchedRoute = route;
      left = ctx._matchedRoute;
    });
    assert.equal(left, route);
    return name;
  };
  assert.equal(await koa({}, '/users/:id'), 'GET /users/:id');
  assert.equal(await koa({}, /^\/u$/), 'GET ^\\/u$');
  assert.equal(await koa({}, undefined), 'GET');
  assert.equal(await koa({ res: undefined }, '/injected'), 'GET', 'a request that a handler injects is another one');
  const mounted = (originalUrl: string, path: string) => ({ mountPath: '/api', originalUrl, path });
  assert.equal(await koa(mounted('/api/users/7?x', '/users/7'), '/users/:id'), 'GET /api/users/:id');
  assert.equal(await koa(mounted('/api', '/'), '/'), 'GET /api/');
  assert.equal(await koa(mounted('/elsewhere', '/users/7'), '/users/:id'), 'GET /users/:id');
});

test('hapi: the route that it has looked up, and none for what no route serves', async (t) => {
  class Request {
    raw!: { res: ServerResponse };
    route: object | undefined;
    _lookup(): string {
      return 'looked up';
    }
  }
  watchHapiRequest(Request.prototype);
  const once = Request.prototype._lookup;
  watchHapiRequest(Request.prototype);
  assert.equal(Request.prototype._lookup, once, 'watched once');
  watchHapiRequest({});
  const hapi = (route: object | undefined) =>
    spanOf(t, '/x', (_message, res) => {
      const request = Object.assign(new Request(), { raw: { res }, route });
      assert.equal(request._lookup(), 'looked up');
    });
  assert.equal(await hapi({ path: '/users/{id}', method: 'get' }), 'GET /users/{id}');
  assert.equal(await hapi({ path: '/{p*}', method: '_special' }), 'GET');
  assert.equal(await hapi(undefined), 'GET');
  assert.doesNotThrow(() => Request.prototype._lookup.call({} as never));
});

test("h3: the route that its router leaves on the event, before and after the app's own hook", async (t) => {
  let asked = 0;
  const options: { onRequest?: (event: object) => unknown } = { onRequest: () => asked++ };
  const app = { stack: [], options };
  watchRoutes(app);
  watchRoutes(app);
  const name = await spanOf(t, '/users/7', (_message, res) => {
    const event = { context: {} as { matchedRoute?: object | undefined }, node: { res } };
    options.onRequest?.(event);
    event.context.matchedRoute = { path: '/users/:id' };
    assert.deepEqual(event.context.matchedRoute, { path: '/users/:id' });
    event.context.matchedRoute = undefined;
    options.onRequest?.({ context: {}, node: { res: {} } });
  });
  assert.deepEqual([name, asked], ['GET /users/:id', 2]);
});
