import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { type TestContext, test } from 'node:test';
import KoaRouter from '@koa/router';
import { setRoute, watchRoutes } from 'forktrace';
import { Hono } from 'hono';
import Koa from 'koa';
import type { HttpTracingConfig } from '#src/config/types.js';
import { watchFastifyInstances } from '#src/http/routes/fastify-instances.js';
import { frameworksRequire } from '../process/frameworks.js';
import { listen } from './traced-server.js';

const require = createRequire(import.meta.url);

/** The names and routes of the spans of GET requests for `paths`, in order. */
async function routes(t: TestContext, app: Parameters<typeof listen>[1], paths: string[], tracing?: HttpTracingConfig) {
  const { request, spans, exporter } = await listen(t, app, tracing);
  const seen: [string, unknown, unknown][] = [];
  for (const path of paths) {
    await request(path);
    const [span] = await spans(1);
    exporter.reset();
    seen.push([span!.name, span!.attributes['http.route'], span!.attributes['http.response.status_code']]);
  }
  return seen;
}

for (const version of ['express4', 'express']) {
  test(`${version}: routes, mounted routers, parameters in mounts, sub-apps, arrays, no route`, async (t) => {
    const express = require(version);
    const app = express();
    app.get('/users/:id', (_request: unknown, response: Response) => response.send('user'));
    app.get(['/a/:x', '/b/:x'], (_request: unknown, response: Response) => response.send('ab'));
    app.get(/^\/re(g)?ex$/, (_request: unknown, response: Response) => response.send('regex'));
    const items = express.Router();
    items.get('/', (_request: unknown, response: Response) => response.send('items'));
    items.get('/:item', async (_request: unknown, response: Response) => {
      await new Promise((resolve) => setImmediate(resolve));
      response.send('item');
    });
    app.use('/shop/items', items);
    app.use('/tenants/:tenant/items', items);
    const admin = express();
    admin.get('/stats/:day', (_request: unknown, response: Response) => response.send('stats'));
    app.use('/admin', admin);
    assert.deepEqual(
      await routes(t, app, [
        '/users/7',
        '/b/1',
        '/regex',
        '/shop/items',
        '/shop/items/3',
        '/tenants/acme/items/3',
        '/tenants/other/items/4',
        '/admin/stats/monday',
        '/nowhere',
      ]),
      [
        ['GET /users/:id', '/users/:id', 200],
        ['GET /a/:x,/b/:x', '/a/:x,/b/:x', 200],
        ['GET /^\\/re(g)?ex$/', '/^\\/re(g)?ex$/', 200],
        ['GET /shop/items', '/shop/items', 200],
        ['GET /shop/items/:item', '/shop/items/:item', 200],
        ['GET /tenants/:tenant/items/:item', '/tenants/:tenant/items/:item', 200],
        ['GET /tenants/:tenant/items/:item', '/tenants/:tenant/items/:item', 200],
        ['GET /admin/stats/:day', '/admin/stats/:day', 200],
        ['GET', undefined, 404],
      ],
    );
  });
}

for (const version of ['express4', 'express']) {
  test(`${version}: the route is whole when an error or next() has left the mounted router, and for what is mounted without routes`, async (t) => {
    const express = require(version);
    const app = express();
    const items = express.Router();
    items.get('/fails/:id', () => {
      throw new Error('no');
    });
    items.get('/items/:id', (_request: unknown, _response: unknown, next: () => void) => next());
    app.use('/api/:v', (_request: unknown, _response: unknown, next: () => void) => next());
    app.use('/api/:v', items);
    const table = express.Router({ mergeParams: true });
    table.get('/:id', (_request: unknown, _response: unknown, next: () => void) => next());
    // In a function of its own, as lazily loaded routers are.
    app.use('/items/:name/rows', (request: object, response: object, next: () => void) =>
      table(request, response, next),
    );
    app.use('/graphql', (_request: unknown, response: Response) => response.send('{}'));
    app.use('/passes', (_request: unknown, _response: unknown, next: () => void) => next());
    // Puts the whole path back, so that the routes within have it: verdaccio does.
    const data = express.Router();
    data.get('/-/shop/data/:id', (_request: unknown, response: Response) => response.send('data'));
    app.use(
      '/-/shop',
      (request: { url: string; originalUrl: string }, _response: unknown, next: () => void) => {
        request.url = request.originalUrl;
        next();
      },
      data,
    );
    app.use((request: { url: string }, response: Response & { status(code: number): void }) => {
      response.status(request.url.startsWith('/items') ? 200 : 404);
      response.send('rendered');
    });
    app.use((_error: Error, _request: unknown, response: Response & { status(code: number): void }, _next: unknown) => {
      response.status(500);
      response.send('failed');
    });
    assert.deepEqual(
      await routes(t, app, [
        '/api/v1/fails/1',
        '/api/v1/items/1',
        '/api/items/items/items',
        '/items/items/rows/7',
        '/items/rows/rows/rows',
        '/graphql',
        '/-/shop/data/7',
        '/passes/by',
        '/nowhere',
      ]),
      [
        ['GET /api/:v/fails/:id', '/api/:v/fails/:id', 500],
        ['GET /api/:v/items/:id', '/api/:v/items/:id', 404],
        ['GET /api/:v/items/:id', '/api/:v/items/:id', 404],
        ['GET /items/:name/rows/:id', '/items/:name/rows/:id', 200],
        ['GET /items/:name/rows/:id', '/items/:name/rows/:id', 200],
        ['GET /graphql', '/graphql', 200],
        ['GET /-/shop/data/:id', '/-/shop/data/:id', 200],
        ['GET', undefined, 404],
        ['GET', undefined, 404],
      ],
    );
  });
}

interface Response {
  send(body: string): void;
}

test('fastify: routes with prefixes, errors, no route', async (t) => {
  const { default: fastify } = await import('fastify');
  const app = fastify();
  app.get('/users/:id', async () => 'user');
  await app.register(async (scope) => void scope.post('/items/:item', async () => 'item'), { prefix: '/shop' });
  app.get('/fails', async () => {
    throw new Error('no');
  });
  await app.ready();
  t.after(() => app.close());
  const seen = await routes(t, app.server, ['/users/7', '/fails', '/nowhere']);
  assert.deepEqual(seen, [
    ['GET /users/:id', '/users/:id', 200],
    ['GET /fails', '/fails', 500],
    ['GET', undefined, 404],
  ]);
});

test('fastify: a body does not cost the handler its context', async (t) => {
  const { default: fastify } = await import('fastify');
  const { trace } = await import('@opentelemetry/api');
  const app = fastify();
  let active: string | undefined;
  app.post('/items', async () => {
    active = trace.getActiveSpan()?.spanContext().spanId;
    return 'ok';
  });
  await app.ready();
  t.after(() => app.close());
  const { request, span } = await listen(t, app.server);
  await request('/items', { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } });
  assert.equal(active, (await span()).spanContext().spanId);
});

test('koa with @koa/router: routes and prefixes, for an app that nobody handed over', async (t) => {
  const app = new Koa();
  const router = new KoaRouter({ prefix: '/shop' });
  router.use(async (_ctx, next) => next());
  router.get('/items/:item', (ctx) => {
    ctx.body = 'item';
  });
  app.use(router.routes());
  assert.deepEqual(await routes(t, app.callback(), ['/shop/items/3', '/nowhere']), [
    ['GET /shop/items/:item', '/shop/items/:item', 200],
    ['GET', undefined, 404],
  ]);
});

test('hono: routes, middleware is not one, no route', async (t) => {
  const { getRequestListener } = await import('@hono/node-server');
  const app = new Hono();
  app.use('*', async (_c, next) => next());
  app.get('/users/:id', (c) => c.text('user'));
  const shop = new Hono();
  shop.get('/items/:item', (c) => c.text('item'));
  app.route('/shop', shop);
  watchRoutes(app);
  assert.deepEqual(
    await routes(t, getRequestListener(app.fetch), ['/users/7', '/shop/items/3', '/users/8', '/nowhere']),
    [
      ['GET /users/:id', '/users/:id', 200],
      ['GET /shop/items/:item', '/shop/items/:item', 200],
      ['GET /users/:id', '/users/:id', 200],
      ['GET', undefined, 404],
    ],
  );
});

test('NestJS on both adapters: controllers, parameters and a global prefix', async (t) => {
  await import('reflect-metadata');
  const { Controller, Get, Module, Param } = await import('@nestjs/common');
  const { NestFactory } = await import('@nestjs/core');
  const { ExpressAdapter } = await import('@nestjs/platform-express');
  const { FastifyAdapter } = await import('@nestjs/platform-fastify');
  class CatsController {
    one(id: string) {
      return `cat ${id}`;
    }
  }
  const one = Object.getOwnPropertyDescriptor(CatsController.prototype, 'one')!;
  Get(':id')(CatsController.prototype, 'one', one);
  Param('id')(CatsController.prototype, 'one', 0);
  Controller('cats')(CatsController);
  class AppModule {}
  Module({ controllers: [CatsController] })(AppModule);
  for (const adapter of [new ExpressAdapter(), new FastifyAdapter()]) {
    const app = await NestFactory.create(AppModule, adapter as never, { logger: false });
    app.setGlobalPrefix('api');
    await app.init();
    const instance = app.getHttpAdapter().getInstance() as { ready?: () => Promise<void> };
    await instance.ready?.();
    t.after(() => app.close());
    assert.deepEqual(await routes(t, app.getHttpServer() as Server, ['/api/cats/7']), [
      ['GET /api/cats/:id', '/api/cats/:id', 200],
    ]);
  }
});

test('what a handler asks of an app itself, by inject or app.request, does not change the route of its request', async (t) => {
  const installed = await frameworksRequire();
  const inject = installed('light-my-request');
  watchFastifyInstances();
  const fastify = (await import('fastify')).default();
  fastify.get('/items/:id', async () => 'item');
  fastify.get('/asks', async () => (await fastify.inject('/items/5')).body);
  await fastify.ready();
  const koa = new Koa();
  const router = new KoaRouter();
  router.get('/items/:id', (context) => {
    context.body = 'item';
  });
  router.get('/asks', async (context) => {
    context.body = (await inject(koa.callback(), '/items/5')).payload;
  });
  koa.use(router.routes());
  const hapi = installed('@hapi/hapi').server();
  hapi.route([
    { method: 'GET', path: '/items/{id}', handler: () => 'item' },
    { method: 'GET', path: '/asks', handler: async () => (await hapi.inject('/items/5')).payload },
  ]);
  await hapi.initialize();
  const hono = new Hono();
  hono.get('/items/:id', (context) => context.text('item'));
  hono.get('/asks', async (context) => context.text(await (await hono.request('/items/5')).text()));
  const { getRequestListener } = await import('@hono/node-server');
  watchRoutes(hono);
  t.after(() => Promise.all([fastify.close(), hapi.stop()]));
  for (const app of [fastify.server, koa.callback(), hapi.listener, getRequestListener(hono.fetch)])
    assert.deepEqual(await routes(t, app, ['/asks']), [['GET /asks', '/asks', 200]]);
});

test('hono: an app behind a wildcard of another has the route', async (t) => {
  const { getRequestListener } = await import('@hono/node-server');
  const inner = new Hono().get('/api/items/:id', (context) => context.text('item'));
  const app = new Hono().get('/api/*', (context) => inner.fetch(context.req.raw));
  watchRoutes(inner);
  watchRoutes(app);
  assert.deepEqual(await routes(t, getRequestListener(app.fetch), ['/api/items/7']), [
    ['GET /api/items/:id', '/api/items/:id', 200],
  ]);
});

test('a route set by hand names the span', async (t) => {
  const server = createServer((_request, response) => {
    setRoute('/files/*');
    response.end();
  });
  assert.deepEqual(await routes(t, server, ['/files/a/b']), [['GET /files/*', '/files/*', 200]]);
});

test("a route that an official framework instrumentation leaves in the context's RPC metadata names the span", async (t) => {
  const { context } = await import('@opentelemetry/api');
  const { getRPCMetadata } = await import('@opentelemetry/core');
  const server = createServer((_request, response) => {
    getRPCMetadata(context.active())!.route = '/from/metadata';
    response.end();
  });
  assert.deepEqual(await routes(t, server, ['/x']), [['GET /from/metadata', '/from/metadata', 200]]);
});
