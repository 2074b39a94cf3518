// Random SIGKILL, SIGSTOP, out-of-memory, blocked loops, slow boots and reloads. 30 seconds in the suite;
// CHAOS_MS for more.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { test } from 'node:test';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';

const CHAOS_MS = Number(process.env.CHAOS_MS ?? 30_000);
const WORKERS = 4;
const CLIENTS = 16;
/** Longer than the watchdog takes: only a request that nobody will ever answer is given up. */
const CLIENT_TIMEOUT_MS = 20_000;

interface Account {
  traceId: string;
  outcome: 'answered' | 'failed' | 'unanswered';
  /** Where the request was, for the report of one that nobody answered. */
  sent: { path: string; at: number; reusedSocket: boolean; localPort: number | undefined };
}

/** One request with a trace id of its own. */
function request(port: number, path: string, agent: Agent): Promise<Account> {
  const traceId = randomBytes(16).toString('hex');
  const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
  return new Promise((resolve) => {
    const at = Date.now();
    const settle = (outcome: Account['outcome']) => {
      const { reusedSocket, socket } = sent;
      resolve({ traceId, outcome, sent: { path, at, reusedSocket, localPort: socket?.localPort } });
    };
    const sent = get({ host: '127.0.0.1', port, path, agent, headers, timeout: CLIENT_TIMEOUT_MS }, (response) => {
      response.on('error', () => settle('failed'));
      response.on('end', () => settle('answered'));
      response.resume();
    });
    sent.on('timeout', () => {
      settle('unanswered');
      sent.destroy();
    });
    sent.on('error', () => settle('failed'));
  });
}

/** Every process of a process group. */
function groupMembers(group: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
        return fields[0] !== 'Z' && Number(fields[2]) === group;
      } catch {
        return false;
      }
    });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const oneOf = <T>(values: readonly T[]): T => values[Math.floor(Math.random() * values.length)]!;

test('after chaos N healthy workers serve, every request is accounted for, and nothing is left behind', {
  timeout: CHAOS_MS + 150_000,
}, async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(
    t,
    {
      serviceName: 'chaos',
      workers: WORKERS,
      pipeline: 'journal',
      export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
      supervise: {
        heartbeatTimeoutMs: 2500,
        readyTimeoutMs: 10_000,
        backoffMinMs: 50,
        backoffMaxMs: 500,
        breakerDeaths: 1000,
        shutdownTimeoutMs: 8000,
      },
    },
    { execArgv: ['--max-old-space-size=96'], behaviour: {} },
  );

  const accounts: Account[] = [];
  let running = true;
  t.after(() => {
    running = false;
  });
  const clients = Array.from({ length: CLIENTS }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (running) accounts.push(await request(cluster.port, `/?ms=${20 + Math.floor(Math.random() * 60)}`, agent));
    agent.destroy();
  });

  const victim = async () => oneOf((await cluster.stats()).workers.filter(({ state }) => state === 'ready'))?.pid;
  const signal = async (name: NodeJS.Signals) => {
    const pid = await victim();
    if (pid === undefined) return;
    try {
      process.kill(pid, name);
    } catch (error) {
      // What was done before has ended it since it was counted among the ready ones.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const oneShot = (path: string) => void request(cluster.port, path, new Agent()).then((one) => accounts.push(one));
  const deeds: Record<string, () => unknown> = {
    kill: () => signal('SIGKILL'),
    stop: () => signal('SIGSTOP'),
    terminate: () => signal('SIGTERM'),
    abort: () => signal('SIGABRT'),
    memory: () => oneShot('/oom'),
    block: () => oneShot('/block?ms=60000'),
    exit: () => oneShot('/exit?code=3'),
    reload: () => void cluster.ask('reload').catch(() => {}),
    slowBoot: () => cluster.behave({ delay: 1500 }),
    fastBoot: () => cluster.behave({}),
  };
  const done: Record<string, number> = {};
  const end = performance.now() + CHAOS_MS;
  while (performance.now() < end) {
    const deed = oneOf(Object.keys(deeds));
    done[deed] = (done[deed] ?? 0) + 1;
    await deeds[deed]!();
    await pause(200 + Math.random() * 1000);
  }
  cluster.behave({});

  const calm = await cluster.settled(
    'N healthy workers, and nobody else',
    ({ ready, phase, workers }) =>
      phase === 'running' && ready === WORKERS && workers.length === WORKERS && workers.every(({ stats }) => stats),
  );
  assert.equal(calm.breaker, 'closed');
  const answeredBefore = accounts.filter(({ outcome }) => outcome === 'answered').length;
  await until(
    'they serve',
    () => accounts.filter(({ outcome }) => outcome === 'answered').length > answeredBefore + 100,
  );
  running = false;
  await Promise.all(clients);
  await until('the single requests are settled', () => accounts.length > 0);

  const sockets = () => readdirSync(`/proc/${cluster.pid}/fd`).length;
  const open = sockets();
  assert.ok(open < 80, `the coordinator holds ${open} descriptors`);
  const unanswered = accounts.filter(({ outcome }) => outcome === 'unanswered').map(({ sent }) => sent);
  assert.deepEqual(unanswered, [], `no request is left without an end. ${cluster.output}`);

  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
  await until('no process is left', () => groupMembers(cluster.pid).length === 0);
  assert.deepEqual(readdirSync(cluster.runDir), []);
  await until('the shipper has gone, too', () => cluster.shippers().length === 0);

  // A span for every request that was answered, and for none twice.
  const answered = new Set(accounts.filter(({ outcome }) => outcome === 'answered').map(({ traceId }) => traceId));
  const servers = endpoint.received().filter(({ kind }) => kind === 2);
  const traced = new Map<string, number>();
  for (const { traceId } of servers) traced.set(traceId, (traced.get(traceId) ?? 0) + 1);
  const missing = [...answered].filter((traceId) => !traced.has(traceId));
  assert.deepEqual(missing, [], `of ${answered.size} answered requests`);
  const twice = [...traced].filter(([, times]) => times > 1);
  assert.deepEqual(twice, []);
  const known = new Set(accounts.map(({ traceId }) => traceId));
  assert.ok(servers.every(({ traceId }) => known.has(traceId)));
  t.diagnostic(`${accounts.length} requests, ${answered.size} answered; ${JSON.stringify(done)}`);
});
