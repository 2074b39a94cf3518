// Express with one read of Redis and one query of PostgreSQL a request.
const { createRequire } = require('node:module');
const { join } = require('node:path');
const { context, createContextKey, ROOT_CONTEXT } = require('@opentelemetry/api');
const express = require('express');

const requireClient = createRequire(join(__dirname, '../postgres-redis/package.json'));
const { Pool } = requireClient('pg');
const { Redis } = requireClient('ioredis');

/**
 * As `suppressTracing` of `@opentelemetry/core`: spans of connecting would be counted with those of requests.
 */
const untraced = ROOT_CONTEXT.setValue(createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING'), true);
const CONNECTIONS = 8;

module.exports = async () => {
  const options = { host: '127.0.0.1', port: process.env.BENCH_POSTGRES, user: 'app', database: 'postgres' };
  const pool = new Pool({ ...options, max: CONNECTIONS, idleTimeoutMillis: 0 });
  let cache;
  await context.with(untraced, async () => {
    cache = new Redis(process.env.BENCH_REDIS, '127.0.0.1');
    await cache.set('price', 3.5);
    const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.connect()));
    for (const client of clients) client.release();
  });
  const app = express();
  app.get('/items/:id', async (request, response) => {
    const price = await cache.get('price');
    const { rows } = await pool.query('select $1::int as id, $2::text as price', [request.params.id, price]);
    response.json(rows[0]);
  });
  return app;
};
