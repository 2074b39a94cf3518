// A router has matched: span and in-flight table have the route while the handler runs, whatever becomes of
// it.
import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { before, type TestContext, test } from 'node:test';
import KoaRouter from '@koa/router';
import { trace } from '@opentelemetry/api';
import fastify from 'fastify';
import { watchRoutes } from 'forktrace';
import { Hono } from 'hono';
import Koa from 'koa';
import { watchFrameworks } from '#src/http/routes/watch-frameworks.js';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { frameworksRequire } from '../process/frameworks.js';
import { defaultLimits, resource } from '../tracer/compared-spans.js';
import { decodeSpan } from '../tracer/decoded-spans.js';
import { MemorySpanLog } from '../tracer/memory-span-log.js';
import { listen } from './traced-server.js';

// biome-ignore lint/suspicious/noExplicitAny: nine frameworks' types, for apps of three lines.
type Any = any;
type Handler = () => void;
const own = createRequire(import.meta.url);

before(async () => void (await frameworksRequire()));

const express = (module: Any) => (note: Handler) => {
  const router = module.Router();
  router.get('/items/:id', (_request: Any, response: Any) => {
    note();
    response.send('item');
  });
  const app = module();
  app.use('/api/:version', router);
  return createServer(app);
};

const fastifyOf = (make: Any, where: 'handler' | 'hook') => async (note: Handler, t: TestContext) => {
  const app = make();
  if (where === 'hook') app.addHook('onRequest', async () => note());
  app.get('/api/:version/items/:id', async () => {
    if (where === 'handler') note();
    return 'item';
  });
  await app.ready();
  t.after(() => app.close());
  return app.server;
};

const APPS: Record<string, [route: string, make: (note: Handler, t: TestContext) => Server | Promise<Server>]> = {
  express4: ['/api/:version/items/:id', express(own('express4'))],
  express: ['/api/:version/items/:id', express(own('express'))],
  fastify: ['/api/:version/items/:id', fastifyOf(fastify, 'handler')],
  'fastify, in a hook': ['/api/:version/items/:id', fastifyOf(fastify, 'hook')],
  'fastify 4, in a hook': [
    '/api/:version/items/:id',
    async (note, t) => fastifyOf((await frameworksRequire())('fastify4'), 'hook')(note, t),
  ],
  koa: [
    '/api/:version/items/:id',
    (note) => {
      const router = new KoaRouter().get('/api/:version/items/:id', (context) => {
        note();
        context.body = 'item';
      });
      return createServer(new Koa().use(router.routes()).callback());
    },
  ],
  hono: [
    '/api/:version/items/:id',
    async (note) => {
      const { getRequestListener } = await import('@hono/node-server');
      const app = new Hono().get('/api/:version/items/:id', (context) => {
        note();
        return context.text('item');
      });
      watchRoutes(app);
      return createServer(getRequestListener(app.fetch) as RequestListener);
    },
  ],
  hapi: [
    '/api/{version}/items/{id}',
    async (note) => {
      const server = (await frameworksRequire())('@hapi/hapi').server({ listener: createServer(), autoListen: false });
      const handler = () => {
        note();
        return 'item';
      };
      server.route({ method: 'GET', path: '/api/{version}/items/{id}', handler });
      await server.initialize();
      return server.listener;
    },
  ],
  h3: [
    '/api/:version/items/:id',
    async (note) => {
      const { createApp, createRouter, defineEventHandler, toNodeListener } = (await frameworksRequire())('h3');
      const handler = defineEventHandler(() => {
        note();
        return 'item';
      });
      const app = createApp().use(createRouter().get('/api/:version/items/:id', handler));
      watchRoutes(app);
      return createServer(toNodeListener(app));
    },
  ],
};

watchFrameworks();
for (const [framework, [route, make]] of Object.entries(APPS)) {
  test(`${framework}: span and in-flight table have the route while the handler runs`, async (t) => {
    const spanLog = new MemorySpanLog();
    const tracerProvider = new JournalTracerProvider({ resource, spanLimits: defaultLimits, spanLog });
    const noted: unknown[] = [];
    const note = () => {
      const span = trace.getActiveSpan() as Any;
      const entry = decodeSpan(spanLog.entries.find((each) => each !== undefined)!.span) as Any;
      const attribute = entry.attributes.find(({ key }: Any) => key === 'http.route')?.value.stringValue;
      noted.push([span.name, span.attributes['http.route'], entry.name, attribute]);
    };
    const { request } = await listen(t, await make(note, t), { tracerProvider });
    assert.equal((await request('/api/v1/items/7')).status, 200);
    assert.deepEqual(noted, [[`GET ${route}`, route, `GET ${route}`, route]]);
  });
}
