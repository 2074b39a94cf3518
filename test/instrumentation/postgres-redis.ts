import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from '../process/free-port.js';
import { waitFor } from '../process/wait-for.js';

const VERSIONS = '/usr/lib/postgresql';
const POSTGRES = existsSync(VERSIONS)
  ? readdirSync(VERSIONS)
      .map((version) => join(VERSIONS, version, 'bin'))
      .find((bin) => existsSync(join(bin, 'initdb')))
  : undefined;
const REDIS = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));

/** Why the servers cannot be had; with CI=true a test then fails. */
export const withoutServers =
  process.env.CI !== 'true' && (!POSTGRES || !REDIS) && 'SKIPPED: PostgreSQL or Redis is not installed';

/** Both on free ports, with their data in a folder that goes with the test. PostgreSQL does not run as root. */
export async function startServers(t: TestContext): Promise<{ postgres: number; redis: number }> {
  const dir = await mkdtemp(join(tmpdir(), 'forktrace-servers-'));
  const asPostgres = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
  if (asPostgres.length > 0) {
    const [uid, gid] = ['-u', '-g'].map((which) =>
      Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' })),
    );
    chownSync(dir, uid!, gid!);
  }
  const [postgres, redis] = [await freePort(), await freePort()];
  const data = join(dir, 'data');
  const [command, ...args] = [
    ...asPostgres,
    join(POSTGRES!, 'initdb'),
    '-D',
    data,
    '-A',
    'trust',
    '-U',
    'app',
    '--no-sync',
  ];
  execFileSync(command!, args, { stdio: 'ignore', cwd: '/' });
  const options = ['-D', data, '-p', String(postgres), '-h', '127.0.0.1', '-k', dir, '-F'];
  const [run, ...rest] = [...asPostgres, join(POSTGRES!, 'postgres'), ...options];
  const database = spawn(run!, rest, { stdio: 'ignore', cwd: '/' });
  const cache = spawn(REDIS!, ['--port', String(redis), '--bind', '127.0.0.1', '--save', '', '--dir', '/'], {
    stdio: 'ignore',
  });
  const pidFile = join(data, 'postmaster.pid');
  const lines = () => (existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n') : []);
  t.after(async () => {
    cache.kill('SIGKILL');
    // Its children end with it.
    const pid = Number(lines()[0]);
    if (pid > 0) process.kill(pid, 'SIGQUIT');
    await waitFor(() => database.exitCode !== null || database.signalCode !== null, 'the end of PostgreSQL');
    await rm(dir, { recursive: true, force: true });
  });
  await waitFor(() => lines().some((line) => line.trim() === 'ready'), 'PostgreSQL is ready');
  return { postgres, redis };
}
