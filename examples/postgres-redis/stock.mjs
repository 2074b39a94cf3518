// What both apps do with PostgreSQL, Redis, another service (themselves) and their log.
import { Redis } from 'ioredis';
import pg from 'pg';
import { pino } from 'pino';
import undici from 'undici';

const log = pino();
const pool = new pg.Pool({ connectionString: process.env.POSTGRES_URL, max: 1 });
const cache = new Redis(process.env.REDIS_URL, { lazyConnect: true });

export async function item(id) {
  log.info('asked');
  const { rows } = await pool.query('select $1::int as id', [id]);
  await cache.set('item', rows[0].id);
  const { body } = await undici.request(`http://127.0.0.1:${process.env.PORT}/stock`);
  return body.text();
}

export function failing() {
  return pool.query('select nothing').catch((error) => error.message);
}
