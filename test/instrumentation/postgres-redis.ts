import type { TestContext } from 'node:test';
import { areServersInstalled, startServers as start } from '#bench/postgres-redis.js';

/** Why the servers cannot be had; with CI=true a test then fails. */
export const withoutServers =
  process.env.CI !== 'true' && !areServersInstalled && 'SKIPPED: PostgreSQL or Redis is not installed';

/** Both on free ports; they end with the test. */
export async function startServers(t: TestContext): Promise<{ postgres: number; redis: number }> {
  const servers = await start();
  t.after(() => servers.stop());
  return servers;
}
