// The same app under OpenTelemetry's own stack and under forktrace, with a real PostgreSQL and a real Redis: all spans are equal, field by
// field, but for the differences that docs/from-opentelemetry.md lists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpSpanKind, type ReceivedSpan } from '../endpoint/received-span.js';
import { instrumentedProject, runInstrumented } from './instrumented-program.js';
import { startServers, withoutServers } from './postgres-redis.js';

const FRAMEWORKS = {
  express: `import express from 'express';
    const app = express();
    app.get('/items/:id', async (request, response) => response.end(await item(request.params.id)));
    app.get('/fails', async (request, response) => response.status(500).end(await failing()));
    app.get('/stock', (request, response) => response.end('1'));
    const listening = createServer(app);
    const ready = () => Promise.resolve();`,
  fastify: `import fastify from 'fastify';
    const app = fastify();
    app.get('/items/:id', async (request) => item(request.params.id));
    app.get('/fails', async (request, reply) => reply.code(500).send(await failing()));
    app.get('/stock', async () => '1');
    const listening = app.server;
    const ready = () => app.ready();`,
};

const source = (framework: string, { postgres, redis }: { postgres: number; redis: number }) => `
import { createServer } from 'node:http';
import pg from 'pg';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import undici from 'undici';
${framework}
const log = pino();
const pool = new pg.Pool({ host: '127.0.0.1', port: ${postgres}, user: 'app', database: 'postgres', max: 1 });
const cache = new Redis(${redis}, '127.0.0.1', { lazyConnect: true });
async function item(id) {
  log.info('asked');
  const { rows } = await pool.query('select $1::int as id', [id]);
  await cache.set('item', rows[0].id);
  return get('/stock');
}
async function failing() {
  return pool.query('select nothing').catch((error) => error.message);
}
async function get(path) {
  const { body } = await undici.request('http://127.0.0.1:' + listening.address().port + path);
  return body.text();
}
ready().then(() => listening.listen(0, '127.0.0.1', async () => {
  await get('/items/1');
  await get('/fails');
  await pool.end();
  await cache.quit();
  listening.close();
  listening.closeAllConnections();
}));
`;
const asCommonJs = (text: string) => text.replace(/^\s*import (.+) from (.+);$/gm, 'const $1 = require($2);');

const COMMON = {
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process',
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
};
/** Two runs have other ports. */
const DIFFERENT_EACH_TIME = /^(url\.full|server\.port|network\.(peer|local)\.port|http\.url|net\.peer\.port)$/;

/** Where OpenTelemetry knows no route, a SERVER span by its path. */
function nameOf({ name, kind, attributes }: ReceivedSpan, isRouteKnown: boolean): string {
  return kind === OtlpSpanKind.SERVER && !isRouteKnown ? `GET ${attributes['url.path']}` : name;
}

/** A span without its ids and times, beside the name of its parent. */
function comparable(spans: readonly ReceivedSpan[], isServerOurs: boolean, isRouteKnown: boolean): string[] {
  const names = new Map(spans.map((span) => [span.spanId, nameOf(span, isRouteKnown)]));
  return spans
    .map((span) => {
      const { kind, scope, attributes, events, status, parentSpanId } = span;
      const kept = Object.entries(attributes).filter(([key]) => !DIFFERENT_EACH_TIME.test(key));
      const isServer = kind === OtlpSpanKind.SERVER;
      // Differences that are meant: SERVER spans are forktrace's, say error.type of a 5xx, and know Fastify's route.
      if (isServer) assert.equal(scope.name, isServerOurs ? 'forktrace' : '@opentelemetry/instrumentation-http');
      const added = ['error.type', ...(isRouteKnown ? [] : ['http.route'])];
      const meant = isServer && isServerOurs ? kept.filter(([key]) => !added.includes(key)) : kept;
      return JSON.stringify({
        name: nameOf(span, isRouteKnown),
        kind,
        scope: isServer ? 'server' : scope,
        parent: names.get(parentSpanId),
        attributes: Object.fromEntries(meant.sort(([a], [b]) => (a < b ? -1 : 1))),
        events: events.map((event) => [event.name, Object.keys(event.attributes).sort()]),
        status,
      });
    })
    .sort();
}

for (const [framework, code] of Object.entries(FRAMEWORKS)) {
  for (const extension of ['mjs', 'cjs']) {
    test(`${framework}, .${extension}: PostgreSQL, Redis, undici and pino have the spans that they have under OpenTelemetry's register`, {
      skip: withoutServers,
    }, async (t) => {
      const servers = await startServers(t);
      const project = await instrumentedProject(t, 'two');
      const text = source(code, servers);
      const path = project.write(`app.${extension}`, extension === 'cjs' ? asCommonJs(text) : text);
      const theirs = await runInstrumented(t, project, path, {
        env: COMMON,
        execArgv: [
          '--require',
          '@opentelemetry/auto-instrumentations-node/register',
          '--experimental-loader=@opentelemetry/instrumentation/hook.mjs',
        ],
      });
      assert.equal((await theirs.program.waitForExit()).code, 0, theirs.program.output);
      const expected = await theirs.spans(10);
      const ours = await runInstrumented(t, project, path, { env: COMMON });
      assert.equal((await ours.program.waitForExit()).code, 0, ours.program.output);
      const found = await ours.spans(expected.length);
      const isRouteKnown = framework !== 'fastify';
      assert.deepEqual(comparable(found, true, isRouteKnown), comparable(expected, false, isRouteKnown));
    });
  }
}
