import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { commands } from '#src/cli/command-list.js';
import { alive, freePort, RunningCluster, until } from '../coordinator/running-cluster.js';
import { tempDir } from '../process/temp-dir.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));

interface Output {
  code: number | null;
  stdout: string;
  stderr: string;
}

function forktrace(runDir: string, ...args: string[]): Promise<Output> {
  const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, FORKTRACE_RUN_DIR: runDir } });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
}

test('status, reload, scale and stop, as an operator types them', async (t) => {
  const cluster = await RunningCluster.ready(t, { serviceName: 'shop', workers: 2 });
  const table = await forktrace(cluster.runDir, 'status');
  assert.equal(table.code, 0, table.stderr);
  assert.match(table.stdout, /shop · pid \d+ · running · 2\/2 ready/);
  assert.match(table.stdout, /slot .*pid .*state/);
  assert.ok(!table.stdout.includes('\x1b'), 'no colours and no cursor movement where there is no terminal');

  const json = JSON.parse((await forktrace(cluster.runDir, 'status', '--json')).stdout);
  assert.deepEqual([json.serviceName, json.pid, json.ready, json.size], ['shop', cluster.pid, 2, 2]);

  assert.deepEqual(await forktrace(cluster.runDir, 'scale', '3'), {
    code: 0,
    stdout: '3 workers are ready\n',
    stderr: '',
  });
  assert.deepEqual(await forktrace(cluster.runDir, 'reload'), { code: 0, stdout: 'reloaded 3 workers\n', stderr: '' });
  assert.deepEqual(await forktrace(cluster.runDir, 'stop', '--pid', String(cluster.pid)), {
    code: 0,
    stdout: 'stopped\n',
    stderr: '',
  });
  assert.equal(alive(cluster.pid), false);
});

test('reload --wait returns when all are replaced, --no-wait at once, whatever SIGHUP means to the cluster', async (t) => {
  const supervise = { reloadOnSighup: false };
  const cluster = await RunningCluster.ready(t, { workers: 2, supervise }, { behaviour: { delay: 0 } });
  const replaced = (times: number) =>
    cluster.settled(`each worker has been replaced ${times} times`, ({ workers }) =>
      workers.every(({ incarnation, state }) => incarnation === times && state === 'ready'),
    );
  assert.equal((await forktrace(cluster.runDir, 'reload', '--wait')).stdout, 'reloaded 2 workers\n');
  await replaced(1);
  // Those that take their time: it does not wait for them.
  cluster.behave({ delay: 1500 });
  const asked = await forktrace(cluster.runDir, 'reload', '--no-wait', '--json');
  assert.deepEqual([asked.code, JSON.parse(asked.stdout)], [0, { pid: cluster.pid }]);
  assert.ok(
    (await cluster.stats()).workers.some(({ incarnation }) => incarnation === 1),
    'the reload goes on',
  );
  await replaced(2);
});

test('scale by one, kill, ls and signals, as an operator types them', async (t) => {
  const cluster = await RunningCluster.ready(t, { serviceName: 'shop', workers: 2 });
  const { stdout } = await forktrace(cluster.runDir, 'scale', '+1', '--json');
  assert.deepEqual(JSON.parse(stdout), { workers: 3 });
  assert.equal((await forktrace(cluster.runDir, 'scale', '-1')).stdout, '2 workers are ready\n');

  process.kill(cluster.pid, 'SIGTTIN');
  await cluster.settled('SIGTTIN is one more', ({ ready }) => ready === 3);
  process.kill(cluster.pid, 'SIGTTOU');
  await cluster.settled('SIGTTOU is one fewer', ({ size, workers }) => size === 2 && workers.length === 2);

  const pid = await cluster.pidOf(1);
  assert.equal((await forktrace(cluster.runDir, 'kill', '1')).stdout, `killed pid ${pid} in slot 1\n`);
  assert.deepEqual([(await cluster.death(pid)).signal, (await cluster.death(pid)).cause], ['SIGKILL', 'signal']);
  const { workers } = await cluster.settled('it is respawned', ({ ready }) => ready === 2);
  assert.deepEqual([workers[1]!.restartsLastHour, workers[1]!.lastExit?.cause], [1, 'signal']);
  assert.match((await forktrace(cluster.runDir, 'kill', '7')).stderr, /\[FORKTRACE_NO_WORKER\]/);

  const listed = await forktrace(cluster.runDir, 'ls');
  assert.match(listed.stdout, new RegExp(`^cluster +shop +${cluster.pid} +2 .* running, 2/2 ready$`, 'm'));
  assert.equal((await forktrace(cluster.runDir, 'reload', '--no-wait')).stdout, 'reload asked for\n');
  await until('both are new', () => cluster.hooks('onReload').length === 1);
});

test('ls lists a process that traces without a coordinator, while it lives', async (t) => {
  const directory = await tempDir(t);
  writeFileSync(join(directory, 'app.cjs'), "require('http').createServer().listen(0, '127.0.0.1');");
  const register = import.meta.resolve('forktrace/register');
  const child = spawn(process.execPath, ['--import', register, join(directory, 'app.cjs')], {
    env: {
      ...process.env,
      TMPDIR: directory,
      FORKTRACE_RUN_DIR: join(directory, 'run'),
      OTEL_SERVICE_NAME: 'alone',
      // A process of its own would tell of the death when the directory is gone.
      FORKTRACE_SHIP: 'inline',
    },
    stdio: 'ignore',
  });
  t.after(() => child.kill('SIGKILL'));
  const json = async () => JSON.parse((await forktrace(join(directory, 'run'), 'ls', '--json')).stdout);
  const [found] = await until('it is listed', async () => {
    const list = await json();
    return list.length > 0 ? list : undefined;
  });
  assert.deepEqual([found.kind, found.name, found.pid], ['process', 'alone', child.pid]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.deepEqual(await json(), []);
});

test('errors have a code and a way out', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 }, { behaviour: {} });
  const nobody = await forktrace(join(cluster.runDir, 'elsewhere'), 'status');
  assert.equal(nobody.code, 1);
  assert.match(nobody.stderr, /^forktrace: No coordinator can be reached: none runs .*\[FORKTRACE_NO_COORDINATOR\]\n$/);

  const wrong = await forktrace(cluster.runDir, 'scale', 'many');
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /Expected a whole number/);
  assert.match((await forktrace(cluster.runDir, 'scale', '0')).stderr, /FORKTRACE_CONFIG_INVALID/);

  cluster.behave({ boot: 'throw' });
  const reload = await forktrace(cluster.runDir, 'reload');
  assert.equal(reload.code, 1);
  assert.match(reload.stderr, /the app is broken.*\[FORKTRACE_RELOAD_ABORTED\]/);

  await RunningCluster.ready(t, { workers: 1 }, { env: { FORKTRACE_RUN_DIR: cluster.runDir } });
  assert.match(
    (await forktrace(cluster.runDir, 'status')).stderr,
    /Name one with --pid. \[FORKTRACE_SEVERAL_COORDINATORS\]/,
  );
});

test('--help teaches each command, by an example; each takes --json, but the one that speaks JSON anyway', async () => {
  const { stdout, code } = await forktrace(tmpdir(), '--help');
  assert.equal(code, 0);
  const program = new Command('forktrace');
  for (const add of commands) add(program);
  assert.ok(program.commands.length >= 12);
  for (const command of program.commands) {
    const name = command.name();
    assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'));
    let help = '';
    command.configureOutput({
      writeOut: (text) => {
        help += text;
      },
    });
    command.outputHelp();
    assert.match(help, new RegExp(`Examples?:\\n[^]*^ +\\$ (.* )?forktrace ${name}\\b`, 'm'), name);
    // mcp speaks JSON-RPC, and nothing else.
    if (name !== 'mcp') assert.match(help, /^ +--json /m, name);
  }
});

test('--json: what run, ship and viewer say, and what went wrong', async (t) => {
  const { child, exited, output } = await runApp(
    t,
    'export default (request, response) => response.end("hello");',
    '-w',
    '1',
    '--json',
  );
  const stats = await until(
    'the cluster',
    () =>
      output()
        .split('\n')
        .find((line) => line.startsWith('{')),
    output,
  );
  const { phase, ready, pid, workers, serviceName } = JSON.parse(stats);
  assert.deepEqual([phase, ready, pid, workers.length], ['running', 1, child.pid, 1]);
  assert.equal(serviceName, 'the-app', 'by the package.json of the app, not of the command');
  child.kill('SIGTERM');
  await exited;

  const failed = await forktrace(tmpdir(), 'inspect', '/nowhere', '--json');
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /^forktrace: No journal .*\[FORKTRACE_NO_JOURNAL\]\n$/);
  const { error } = JSON.parse(failed.stdout);
  assert.equal(error.code, 'FORKTRACE_NO_JOURNAL');
  assert.match(error.message, /^No journal at \/nowhere: found nothing/);

  const broken = await runApp(t, 'throw new Error("no database");', '-w', '1', '--json');
  assert.equal(await broken.exited, 1);
  const last = broken
    .output()
    .split('\n')
    .find((line) => line.startsWith('{'));
  assert.equal(JSON.parse(last!).error.code, 'FORKTRACE_WORKER_START');
});

test('what is named and cannot be had is one line, not a stack of ours', async (t) => {
  const mistakes: [args: string[], said: RegExp][] = [
    [
      ['viewer', '--file', '/nowhere/traces'],
      /^forktrace: The file \/nowhere\/traces cannot be used \(ENOENT.*\[FORKTRACE_VIEWER_FILE\]\n$/,
    ],
    [
      ['viewer', '--http-port', '99999'],
      /^error: option '--http-port <n>' argument '99999' is invalid. Expected a port: 0 to 65535/,
    ],
    [
      ['ship', '--watch', '--url', 'http://localhost:4317'],
      /^error: --watch takes journal and destination from the environment/,
    ],
    [['inspect'], /^error: missing required argument 'path'/],
    [
      ['inspect', '--death', '/nowhere'],
      /^forktrace: No such death in \/nowhere: found nothing, .*\[FORKTRACE_NO_DEATH\]\n$/,
    ],
  ];
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  mistakes.push([
    ['profile', String(child.pid), '--out', '/nowhere/profile'],
    /^forktrace: ENOENT: .*\/nowhere\/profile' \[ENOENT\]\n$/,
  ]);
  for (const [args, said] of mistakes) {
    const { code, stderr } = await forktrace(tmpdir(), ...args);
    assert.equal(code, 1, args.join(' '));
    assert.match(stderr, said);
  }
});

async function runApp(t: TestContext, source: string, ...args: string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'forktrace-cli-'));
  writeFileSync(join(directory, 'app.mjs'), source);
  writeFileSync(join(directory, 'package.json'), '{ "name": "the-app" }');
  const port = await freePort();
  const child = spawn(process.execPath, [cli, 'run', 'app.mjs', '-p', String(port), ...args], {
    cwd: directory,
    detached: true,
    env: {
      ...process.env,
      TMPDIR: directory,
      OTEL_TRACES_EXPORTER: 'none',
      NODE_ENV: 'production',
      FORKTRACE_RUN_DIR: join(directory, 'run'),
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const exited = new Promise<number | string | null>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  t.after(async () => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {
      // Gone.
    }
    await exited;
    rmSync(directory, { recursive: true, force: true });
  });
  return { child, port, exited, output: () => output };
}

test('run serves what a module default-exports, on as many workers as asked for', async (t) => {
  const { child, port, exited, output } = await runApp(
    t,
    'export default (worker) => (request, response) => response.end("slot " + worker.slot);',
    '-w',
    '2',
  );
  const seen = new Set<string>();
  await until(
    'both slots answer',
    async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).catch(
        () => undefined,
      );
      if (answer) seen.add(await answer.text());
      return seen.size === 2;
    },
    output,
  );
  child.kill('SIGTERM');
  assert.equal(await exited, 'SIGTERM');
});

test('run ends with the app’s own error and exit code', async (t) => {
  const broken = await runApp(t, 'throw new Error("no database");', '-w', '2');
  assert.equal(await broken.exited, 1);
  assert.match(broken.output(), /no database/);
  assert.match(broken.output(), /\[FORKTRACE_WORKER_START\]/);

  const wrong = await runApp(t, 'export default { not: "a factory" };', '-w', '1');
  assert.equal(await wrong.exited, 1);
  assert.match(wrong.output(), /expected an app, a function .*\(FORKTRACE_APP_NO_FACTORY\)/);
});

/** Programs of their own, which `node` runs as well; each tells the arguments that it sees. */
const LISTEN_THEMSELVES = {
  'an ES module that listens at once': `import { createServer } from 'node:http';
    createServer((request, response) => response.end(JSON.stringify(process.argv.slice(1)))).listen(process.env.PORT);`,
  'a module that exports something else, and listens when its database is there': `import { createServer } from 'node:http';
    export const start = () => {};
    setTimeout(() => {
      createServer((request, response) => response.end(JSON.stringify(process.argv.slice(1)))).listen(process.env.PORT);
    }, 100);`,
  'a factory': `import { createServer } from 'node:http';
    export default () => (request, response) => response.end(JSON.stringify(process.argv.slice(1)));`,
};

for (const [what, source] of Object.entries(LISTEN_THEMSELVES)) {
  test(`run serves ${what}, which sees the arguments that node would give it`, async (t) => {
    const { child, port, exited, output } = await runApp(t, source, '-w', '1', '--', '--config', 'prod.json');
    await until('it serves', async () => output().includes('serving at'), output);
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } });
    const [program, ...args] = (await answer.json()) as string[];
    assert.match(program!, /^\/.*app\.mjs$/);
    assert.deepEqual(args, ['--config', 'prod.json']);
    child.kill('SIGTERM');
    assert.equal(await exited, 'SIGTERM');
  });
}
