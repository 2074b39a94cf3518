import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { TracingConfig } from 'forktrace';
import { tempDir } from '../process/temp-dir.js';
import { alive, freePort, RunningCluster, until } from './running-cluster.js';

const one: TracingConfig = { workers: 1, export: { to: 'none' }, supervise: { backoffMinMs: 20 } };
const fixture = 'stderr-worker';

test('what workers write arrives unchanged and in order, by whatever way they write it', async (t) => {
  const cluster = await RunningCluster.ready(t, one, { fixture });
  await cluster.get('/mixed?lines=3000');
  await until('the last line', () => cluster.output.includes('mixed 2999\n'));
  const expected = Array.from(
    { length: 3000 },
    (_, line) => `mixed ${line}${[' \u001b[31mred\u001b[0m', ' é', ''][line % 3]}`,
  );
  const written = cluster.output.split('\n').filter((line) => line.startsWith('mixed '));
  assert.deepEqual(written, expected);
});

test('a worker that writes 3 MB and exits at once: all of it', async (t) => {
  const cluster = await RunningCluster.ready(t, one, { fixture });
  const pid = await cluster.pidOf(0);
  await cluster.get('/exit?lines=30000').catch(() => {});
  await until('it is gone', () => !alive(pid));
  await until('the last line', () => cluster.output.includes('line 29999 '));
  assert.equal(cluster.output.split('\n').filter((line) => /^line \d+ x/.test(line)).length, 30_000);
});

test('an uncaught error is printed whole', async (t) => {
  const cluster = await RunningCluster.ready(t, one, { fixture });
  await cluster.get('/throw').catch(() => {});
  await until('the error', () => /Error: thrown by the app\n {4}at .*stderr-worker/.test(cluster.output));
});

test('nobody reads the coordinator’s standard error: workers serve on', async (t) => {
  const cluster = await RunningCluster.ready(t, one, { fixture });
  cluster.process.stderr!.pause();
  const pid = await cluster.pidOf(0);
  for (let round = 0; round < 5; round++) await cluster.get('/mixed?lines=60000');
  assert.equal((await cluster.get('/')) && (await cluster.pidOf(0)), pid);
  cluster.process.stderr!.resume();
  await until('what was dropped is said', () =>
    /bytes of the workers' standard error were dropped/.test(cluster.output),
  );
});

test('the reader of the coordinator’s standard error is gone: all serve on', async (t) => {
  const cluster = await RunningCluster.ready(t, one, { fixture });
  const pid = await cluster.pidOf(0);
  cluster.process.stderr!.destroy();
  for (let round = 0; round < 3; round++) await cluster.get('/mixed?lines=3000');
  assert.equal(await cluster.pidOf(0), pid);
});

for (const prefix of [false, true]) {
  test(`the coordinator is gone: a worker that writes while it drains does not fail of it, prefix ${prefix}`, async (t) => {
    const ends = join(await tempDir(t), 'ends');
    const config = { ...one, supervise: { ...one.supervise, prefix } };
    const cluster = await RunningCluster.ready(t, config, { fixture, env: { ENDS: ends } });
    const pid = await cluster.pidOf(0);
    await cluster.get('/orphan?lines=1000');
    cluster.process.kill('SIGKILL');
    await until('it is gone', () => !alive(pid));
    assert.equal(readFileSync(ends, 'utf8'), 'with code 0');
  });
}

test('with a prefix, all of the standard output has it, by whatever way it is written, and nothing is lost at an exit', async (t) => {
  const config = { ...one, supervise: { ...one.supervise, prefix: true } };
  const cluster = await RunningCluster.ready(t, config, { fixture });
  const expected = (lines: number) => [
    ...Array.from(
      { length: lines },
      (_, line) => `slot 0 | output ${line}${[' \u001b[31mred\u001b[0m', ' é', ''][line % 3]}`,
    ),
    `slot 0 | output ${lines}`,
  ];
  // The reader is behind: nothing is dropped.
  cluster.process.stdout!.pause();
  const asked = cluster.get('/output?lines=60000');
  await until('the pipes are full', () => cluster.process.stdout!.readableLength > 0);
  cluster.process.stdout!.resume();
  await asked;
  await cluster.get('/output?lines=3000&exit').catch(() => {});
  await until('all of it', () => cluster.output.includes('output 3000\n') && cluster.output.includes('output 60000\n'));
  const written = cluster.output.split('\n').filter((line) => line.includes('output '));
  assert.deepEqual(written, [...expected(60_000), ...expected(3000)]);
});

test('with a prefix, and nobody who reads the coordinator’s standard output: workers serve on', async (t) => {
  const config = { ...one, supervise: { ...one.supervise, prefix: true } };
  const cluster = await RunningCluster.ready(t, config, { fixture });
  const pid = await cluster.pidOf(0);
  cluster.process.stdout!.destroy();
  for (let round = 0; round < 3; round++) await cluster.get('/output?lines=3000');
  assert.equal(await cluster.pidOf(0), pid);
});

for (const prefix of [false, true]) {
  test(`on a terminal a worker finds a terminal, and in its command line no inspector, prefix ${prefix}`, (t) =>
    findsTerminal(t, prefix));
}

async function findsTerminal(t: TestContext, prefix: boolean): Promise<void> {
  const port = await freePort();
  const program = fileURLToPath(new URL(`../fixtures/${fixture}.js`, import.meta.url));
  const config = JSON.stringify({ ...one, supervise: { prefix }, listen: { port, host: '127.0.0.1' } });
  // script(1) runs the program on a terminal of its own.
  const child = spawn('script', ['-qec', `stty cols 123 rows 45; exec ${process.execPath} ${program}`, '/dev/null'], {
    env: {
      ...process.env,
      CLUSTER_CONFIG: config,
      TERM: 'xterm-256color',
      NO_COLOR: undefined,
      // Node takes a CI's log for a terminal with few colours.
      CI: undefined,
      FORCE_COLOR: undefined,
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await until(
    'the cluster has started',
    () => /"started":true/.test(output),
    () => output,
  );
  const found = await new Promise<Record<string, unknown>>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: '/terminal' }, async (response) => {
      let body = '';
      for await (const text of response.setEncoding('utf8')) body += text;
      resolve(JSON.parse(body));
    }).on('error', reject);
  });
  const { env, ...rest } = found;
  const terminal = { isTTY: true, columns: 123, rows: 45, colours: true, isatty: true };
  assert.deepEqual(rest, { found: [terminal, terminal], execArgv: [] });
  const variables = env as NodeJS.ProcessEnv;
  assert.deepEqual([variables.FORKTRACE_STDOUT, variables.FORKTRACE_STDERR], [undefined, undefined]);
}
