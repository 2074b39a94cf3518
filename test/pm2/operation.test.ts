// What docs/pm2.md says of pm2's commands and options, done with the real pm2.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EcosystemApp } from 'forktrace/pm2';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { isAlive } from '../process/alive.js';
import { freePort } from '../process/free-port.js';
import { waitFor } from '../process/wait-for.js';
import { ecosystemFile, pm2Binary, RealPm2 } from './real-pm2.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
const script = fileURLToPath(new URL('../fixtures/pm2-commands.cjs', import.meta.url));

interface World {
  pm2: RealPm2;
  endpoint: OtlpEndpoint;
  app: EcosystemApp;
  /** Requests that were answered. */
  answered: number;
  ask(path?: string): Promise<{ pid: number; instance: string | undefined }>;
  workers(): Promise<Awaited<ReturnType<RealPm2['list']>>>;
  /** So many workers, all online, none of them one of `old`. */
  online(workers: number, old?: number[]): Promise<number[]>;
}

async function world(t: TestContext, options: Partial<EcosystemApp> = {}): Promise<World> {
  const endpoint = await OtlpEndpoint.start(t);
  const pm2 = await RealPm2.start(t);
  const port = await freePort();
  const own = join(pm2.home, 'app.cjs');
  copyFileSync(script, own);
  const app: EcosystemApp = {
    name: 'app',
    script: own,
    instances: 2,
    listen_timeout: 30_000,
    ...options,
    env: { PORT: port, ...options.env },
    tracing: {
      export: { to: 'otlp-http', url: endpoint.httpUrl, headers: { 'x-token': 'hush-hush' } },
      journal: { dir: join(pm2.home, 'journal') },
      ...options.tracing,
    },
  };
  const made: World = {
    pm2,
    endpoint,
    app,
    answered: 0,
    ask: (path = '/') =>
      new Promise((resolve, reject) => {
        // node:cluster may hand a connection to a worker that has just died, and then nobody answers it.
        const request = get({ port, host: '127.0.0.1', path, agent: false, timeout: 5000 }, async (response) => {
          let body = '';
          for await (const chunk of response) body += chunk;
          made.answered++;
          resolve(JSON.parse(body));
        });
        request.on('timeout', () => request.destroy(new Error('no answer'))).on('error', reject);
      }),
    workers: async () => (await pm2.list()).filter(({ name }) => name === 'app'),
    online: (count, old = []) =>
      waitFor(async () => {
        const workers = await made.workers();
        const pids = workers.map(({ pid }) => pid);
        const all = workers.length === count && workers.every(({ pm2_env }) => pm2_env.status === 'online');
        return all && pids.every((pid) => pid > 0 && !old.includes(pid)) ? pids : undefined;
      }, `${count} workers online`),
  };
  return made;
}

/** Each answered request has one span at the endpoint, and no span is there twice. */
async function allDelivered({ endpoint, answered }: World, interrupted = 0): Promise<void> {
  const isServer = ({ kind }: { kind: number }) => kind === OtlpSpanKind.SERVER;
  const expected = answered + interrupted;
  const spans = (await endpoint.waitForSpans((all) => all.filter(isServer).length >= expected)).filter(isServer);
  assert.equal(spans.length, expected);
  // A signal may come between an answer and the end of its span, which then has the answer's status.
  const isInterrupted = ({ attributes }: (typeof spans)[0]) =>
    attributes['error.type'] === 'worker.exit' && attributes['http.response.status_code'] === undefined;
  assert.equal(spans.filter(isInterrupted).length, interrupted);
  assert.equal(new Set(spans.map(({ spanId }) => spanId)).size, expected);
}

async function asks(world: World, requests = 10): Promise<void> {
  for (let i = 0; i < requests; i++) await world.ask();
}

test('pm2 logs, monit, scale, reload, save and resurrect; its own HTTP metrics stay, and it shows no secret', async (t) => {
  const it = await world(t);
  const { pm2 } = it;
  await pm2.startApp(it.app);
  let pids = await it.online(2);
  await asks(it);

  await t.test('pm2 logs has the line that says where spans go', async () => {
    await waitFor(async () => (await pm2.logs()).includes('forktrace: spans go to http'), 'the line');
    assert.doesNotMatch(await pm2.logs(), /FORKTRACE_/, 'and no warning');
  });

  await t.test('pm2’s HTTP metrics', async () => {
    const metrics = await waitFor(async () => {
      await it.ask();
      const found = Object.assign({}, ...(await it.workers()).map(({ pm2_env }) => pm2_env.axm_monitor ?? {}));
      return 'HTTP' in found && found;
    }, 'requests per minute');
    for (const name of ['HTTP', 'HTTP Mean Latency', 'HTTP P95 Latency']) assert.ok(name in metrics, name);
  });

  await t.test('neither pm2 env nor jlist shows a header', async () => {
    assert.doesNotMatch(await pm2.command('env', '0'), /hush-hush/);
    assert.doesNotMatch(await pm2.command('jlist'), /hush-hush/);
  });

  await t.test('pm2 monit lists the workers', async (t) => {
    const monit = pm2.open(t, `'${process.execPath}' '${pm2Binary('pm2')}' monit`);
    await waitFor(
      () => monit.output.includes('app'),
      () => `its page: ${monit.output}`,
    );
    monit.child.stdin!.write('\x03');
  });

  await t.test('forktrace ls lists the workers', async () => {
    const run = promisify(execFile);
    const env = { ...process.env, TMPDIR: pm2.home, FORKTRACE_RUN_DIR: undefined };
    const { stdout } = await run(process.execPath, [cli, 'ls', '--json'], { env });
    const listed = JSON.parse(stdout).filter(({ name }: { name: string }) => name === 'app');
    assert.deepEqual(
      listed.map(({ kind, pid }: { kind: string; pid: number }) => [kind, pid]).sort(),
      pids.map((pid) => ['pm2', pid]).sort(),
    );
  });

  await t.test('pm2 scale', async () => {
    await pm2.command('scale', 'app', '3');
    await it.online(3);
    await asks(it);
    await pm2.command('scale', 'app', '2');
    pids = await it.online(2);
    await asks(it);
  });

  await t.test('pm2 reload', async () => {
    await pm2.command('reload', 'app');
    pids = await it.online(2, pids);
    await asks(it);
  });

  await t.test('pm2 save, the end of everything, pm2 resurrect', async () => {
    await pm2.command('save');
    await pm2.command('kill');
    await waitFor(() => pids.every((pid) => !isAlive(pid)), 'the end of the workers');
    await pm2.command('resurrect');
    await it.online(2, pids);
    await asks(it);
  });
  await pm2.command('delete', 'all');
  await allDelivered(it);
});

/** An option of pm2, and what makes it act. Workers are new afterwards, and every request has its span. */
const restarts: Record<string, { options: Partial<EcosystemApp>; act?: (world: World) => Promise<unknown> }> = {
  shutdown_with_message: { options: { shutdown_with_message: true }, act: ({ pm2 }) => pm2.command('restart', 'app') },
  '--no-treekill': { options: { treekill: false }, act: ({ pm2 }) => pm2.command('restart', 'app') },
  'fork mode': { options: { exec_mode: 'fork', instances: 1 }, act: ({ pm2 }) => pm2.command('restart', 'app') },
  cron_restart: { options: { cron_restart: '*/3 * * * * *', instances: 1 } },
  max_memory_restart: {
    options: { max_memory_restart: '150M', instances: 1 },
    act: ({ ask }) => ask('/grow'),
  },
  '--watch': {
    options: { watch: ['app.cjs'], instances: 1 },
    act: async ({ pm2 }) => copyFileSync(script, join(pm2.home, 'app.cjs')),
  },
};

for (const [name, { options, act }] of Object.entries(restarts)) {
  test(`pm2 with ${name}: workers are restarted, and no span is lost`, async (t) => {
    // How often pm2 looks at memory and cron, in milliseconds.
    const it = await world(t, options);
    process.env.PM2_WORKER_INTERVAL = '1000';
    t.after(() => delete process.env.PM2_WORKER_INTERVAL);
    await it.pm2.startApp(it.app);
    const workers = it.app.instances as number;
    const pids = await it.online(workers);
    await asks(it, act ? 10 : 1);
    await act?.(it);
    await it.online(workers, pids).catch(async (error) => assert.fail(`${error} ${await it.pm2.logs()}`));
    if (act && name !== 'max_memory_restart') await asks(it);
    await it.pm2.command('delete', 'app');
    await allDelivered(it);
    await it.pm2.command('delete', 'all');
  });
}

test('pm2 with instance_var: the slot is what that variable says', async (t) => {
  const it = await world(t, { instance_var: 'MY_INSTANCE' });
  await it.pm2.startApp(it.app);
  await it.online(2);
  const instances = new Set<string | undefined>();
  await waitFor(async () => instances.add((await it.ask()).instance).size === 2, 'answers of both');
  await it.pm2.command('delete', 'app');
  await allDelivered(it);
  const slots = new Set(it.endpoint.received().map(({ resource }) => String(resource['cluster.worker.slot'])));
  assert.deepEqual([...slots].sort(), [...instances].sort());
});

const canContain = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;

test('pm2-runtime as PID 1 of a container: a worker that is killed is replaced, docker stop ends all of it, every span is delivered', {
  skip: canContain ? false : 'SKIPPED: it needs Linux and root: unshare --pid',
}, async (t) => {
  const it = await world(t);
  writeFileSync(join(it.pm2.home, 'ecosystem.config.cjs'), ecosystemFile(it.app));
  const { runtime, stop } = await it.pm2.container(t);
  const answer = (pid?: number) =>
    waitFor(
      async () => {
        const one = await it.ask().catch(() => undefined);
        return one !== undefined && one.pid !== pid ? one : undefined;
      },
      () => `an answer: ${runtime.output}`,
    );
  const { pid } = await answer();
  await asks(it);
  await it.ask('/die').catch(() => {});
  await answer(pid);
  await asks(it);
  const ended = new Promise((resolve) => runtime.child.once('exit', resolve));
  stop();
  await ended;
  // The request of which the worker died.
  await allDelivered(it, 1);
});

test('pm2-runtime, as in a container: SIGTERM ends all of it, with every span delivered', async (t) => {
  const it = await world(t);
  writeFileSync(join(it.pm2.home, 'ecosystem.config.cjs'), ecosystemFile(it.app));
  const runtime = it.pm2.open(t, `exec '${process.execPath}' '${pm2Binary('pm2-runtime')}' ecosystem.config.cjs`);
  await waitFor(
    async () => (await it.ask().catch(() => undefined)) !== undefined,
    () => `an answer: ${runtime.output}`,
  );
  await asks(it);
  const ended = new Promise((resolve) => runtime.child.once('exit', resolve));
  runtime.child.stdin!.write('\x03');
  await ended;
  await allDelivered(it);
});
