/**
 * A real PostgreSQL and a real Redis on free ports of loopback.
 *
 * @module
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.js';

const VERSIONS = '/usr/lib/postgresql';
const POSTGRES = existsSync(VERSIONS)
  ? readdirSync(VERSIONS)
      .map((version) => join(VERSIONS, version, 'bin'))
      .find((bin) => existsSync(join(bin, 'initdb')))
  : undefined;
const REDIS = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path));

export const areServersInstalled = POSTGRES !== undefined && REDIS !== undefined;

const READY_MS = 30_000;

export interface Servers {
  postgres: number;
  redis: number;
  stop(): Promise<void>;
}

/** Their data is in a folder that goes with them. PostgreSQL does not run as root. */
export async function startServers(): Promise<Servers> {
  const dir = mkdtempSync(join(tmpdir(), 'forktrace-servers-'));
  const asPostgres = process.getuid?.() === 0 ? ['runuser', '-u', 'postgres', '--'] : [];
  if (asPostgres.length > 0) {
    const [uid, gid] = ['-u', '-g'].map((which) =>
      Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' })),
    );
    chownSync(dir, uid!, gid!);
  }
  const [postgres, redis] = [await freePort(), await freePort()];
  const data = join(dir, 'data');
  const [initdb, ...how] = [...asPostgres, join(POSTGRES!, 'initdb'), '-D', data, '-A', 'trust', '-U', 'app'];
  execFileSync(initdb!, [...how, '--no-sync'], { stdio: 'ignore', cwd: '/' });
  const listen = ['-p', String(postgres), '-h', '127.0.0.1', '-k', dir];
  const [run, ...rest] = [...asPostgres, join(POSTGRES!, 'postgres'), '-D', data, ...listen, '-F'];
  const database = spawn(run!, rest, { stdio: 'ignore', cwd: '/' });
  const cache = spawn(REDIS!, ['--port', String(redis), '--bind', '127.0.0.1', '--save', '', '--dir', '/'], {
    stdio: 'ignore',
  });
  const ended = once(database, 'exit');
  const pidFile = join(data, 'postmaster.pid');
  const lines = () => (existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n') : []);
  const stop = async () => {
    cache.kill('SIGKILL');
    // Its children end with it.
    const pid = Number(lines()[0]);
    if (pid > 0) process.kill(pid, 'SIGQUIT');
    else database.kill('SIGQUIT');
    await ended;
    rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  for (const until = performance.now() + READY_MS; !lines().some((line) => line.trim() === 'ready'); ) {
    if (performance.now() > until || database.exitCode !== null) {
      await stop();
      throw new Error(`PostgreSQL has not started (${database.exitCode ?? 'not ready in 30 s'})`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { postgres, redis, stop };
}
