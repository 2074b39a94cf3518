// A cluster on a terminal: what somebody sees who presses Ctrl-C, twice, or closes the window.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { alive, freePort, until } from '../coordinator/running-cluster.js';
import { tempDir } from '../process/temp-dir.js';
import { PseudoTerminal } from './terminal.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
/** Nobody listens there: the shipper has something to complain about. */
const NOBODY = 'http://127.0.0.1:9';

/** Production, with what forktrace keeps of its own in `dir`. */
const productionIn = (dir: string) => ({
  TMPDIR: dir,
  FORKTRACE_RUN_DIR: join(dir, 'run'),
  NODE_ENV: 'production',
  OTEL_EXPORTER_OTLP_ENDPOINT: NOBODY,
});

interface Shell {
  terminal: PseudoTerminal;
  port: number;
  /** Pids of all workers, which the app prints. */
  pids(): number[];
}

/** What stands between a shell and `forktrace run`, and what is typed then. */
const launchers = {
  typed: (command: string) => command,
  'under timeout': (command: string) => `timeout 300 ${command}`,
  'by npm, with bash as its shell': () => 'npm --silent --script-shell=bash start',
} satisfies Record<string, (command: string) => string>;

/** A shell in which `forktrace run` runs in the foreground. */
async function shell(
  t: TestContext,
  { launcher = 'typed' as keyof typeof launchers, slowMs = 2500 } = {},
): Promise<Shell> {
  const dir = await tempDir(t);
  writeFileSync(
    join(dir, 'app.mjs'),
    `import { spawnSync } from 'node:child_process';
    import { writeSync } from 'node:fs';
    console.log('pid ' + process.pid + '.');
    writeSync(1, 'past the stream\\n');
    spawnSync('echo', ['by a child'], { stdio: 'inherit' });
    export default (request, response) => {
      if (request.url === '/throw') setImmediate(() => { throw new Error('a bug of the app'); });
      if (request.url !== '/slow') return response.end('hello');
      console.log('arrived');
      setTimeout(() => response.end('slow'), Number(process.env.SLOW_MS));
    };`,
  );
  const port = await freePort();
  const terminal = new PseudoTerminal(t, 'PS1="prompt> " sh -i', {
    columns: 200,
    rows: 50,
    cwd: dir,
    env: {
      ...productionIn(dir),
      SLOW_MS: String(slowMs),
      npm_config_update_notifier: 'false',
    },
  });
  await until('the prompt', () => terminal.output.includes('prompt>'));
  const command = `'${process.execPath}' '${cli}' run app.mjs -w 2 -p ${port}`;
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'shop', scripts: { start: command } }));
  terminal.type(`${launchers[launcher](command)}\n`);
  await until(
    'the cluster',
    () => terminal.output.includes('serving at'),
    () => terminal.output,
  );
  return { terminal, port, pids: () => [...terminal.output.matchAll(/pid (\d+)\./g)].map(([, pid]) => Number(pid)) };
}

function ask(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    get({ port, host: '127.0.0.1', path, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve(body);
    }).on('error', (error) => resolve(error.message));
  });
}

/** Every way of starting, as a program and what is typed; `FORKTRACE` is where the package is. */
const starts: Record<string, { files: Record<string, string>; command: string; serves?: true }> = {
  'startClusterWithTracing, with a factory': {
    files: {
      'server.mjs': `import { startClusterWithTracing } from 'FORKTRACE';
        await startClusterWithTracing(() => (request, response) => response.end('hello'), { workers: 2, listen: PORT });`,
    },
    command: 'node server.mjs',
    serves: true,
  },
  'forktrace run': {
    files: { 'app.mjs': "export default (request, response) => response.end('hello');" },
    command: 'forktrace run app.mjs -w 2 -p PORT',
    serves: true,
  },
  startWorkerTracing: {
    files: {
      'job.mjs': "import { startWorkerTracing } from 'FORKTRACE';\nawait startWorkerTracing().shutdown();",
    },
    command: 'node job.mjs',
  },
  'the preload, with worker threads that trace, too': {
    files: {
      'job.mjs': `import { once } from 'node:events';
        import { isMainThread, Worker } from 'node:worker_threads';
        import { trace } from '${import.meta.resolve('@opentelemetry/api')}';
        trace.getTracer('job').startSpan('work').end();
        if (isMainThread) for (let i = 0; i < 2; i++) await once(new Worker(new URL(import.meta.url)), 'exit');`,
    },
    command: 'node --import FORKTRACE/register job.mjs',
  },
};

test('each way of starting says where spans go, once; what serves says where; FORKTRACE_QUIET=1 says nothing', async (t) => {
  const api = import.meta.resolve('forktrace');
  for (const [way, { files, command, serves }] of Object.entries(starts)) {
    for (const FORKTRACE_QUIET of ['0', '1']) {
      const [dir, port] = [await tempDir(t), await freePort()];
      const filled = (text: string) =>
        text
          .replace('FORKTRACE/register', import.meta.resolve('forktrace/register'))
          .replace('FORKTRACE', api)
          .replace('PORT', String(port))
          .replace(/^node/, `'${process.execPath}'`)
          .replace(/^forktrace/, `'${process.execPath}' '${cli}'`);
      for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), filled(text));
      const terminal = new PseudoTerminal(t, filled(command), {
        columns: 200,
        cwd: dir,
        env: {
          ...productionIn(dir),
          FORKTRACE_QUIET,
        },
      });
      if (serves) {
        await until('it serves', async () => (await ask(port, '/')) === 'hello');
        if (FORKTRACE_QUIET === '0') await until('the address', () => terminal.output.includes('serving at'));
        terminal.type('\x03');
      }
      await terminal.exited;
      const { output } = terminal;
      const said = FORKTRACE_QUIET === '0' ? 1 : 0;
      assert.equal(
        output.match(/forktrace: spans go to http:\/\/127\.0\.0\.1:9 /g)?.length ?? 0,
        said,
        `${way}: ${output}`,
      );
      const url = new RegExp(`forktrace: serving at http://localhost:${port} with 2 workers`, 'g');
      assert.equal(output.match(url)?.length ?? 0, serves ? said : 0, `${way}: ${output}`);
    }
  }
});

/** The process group that a terminal or a launcher signals: proc(5), the fifth field of stat. */
const groupOf = (pid: number) => Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[2]);

const prompts = ({ output }: PseudoTerminal) => output.split('prompt>').length - 1;

test('on a terminal: the address is a URL of this machine, and each line of a worker has its slot', async (t) => {
  const { terminal, port } = await shell(t);
  assert.match(terminal.output, new RegExp(`forktrace: spans go to ${NOBODY} \\(OTLP/gRPC\\)`));
  assert.match(terminal.output, /slot 0 \|\S* pid \d+\./, 'two workers write to it: each line has its slot');
  // As pino writes, and whoever shares the descriptor.
  for (const slot of [0, 1])
    for (const line of ['past the stream', 'by a child'])
      assert.match(terminal.output, new RegExp(`slot ${slot} \\|\\S* ${line}\\r?\\n`));
  assert.match(terminal.output, new RegExp(`forktrace: serving at http://localhost:${port} with 2 workers`));
  await ask(port, '/throw');
  await until(
    'the error, printed by Node itself',
    () => /slot \d \|\S* Error: a bug of the app\r?\n\S*slot \d \|\S* {5}at /.test(terminal.output),
    () => terminal.output,
  );
  terminal.type('\x03');
  await until('the prompt', () => prompts(terminal) >= 2);
});

for (const launcher of Object.keys(launchers) as (keyof typeof launchers)[]) {
  for (const [how, signal, code] of [
    ['Ctrl-C', 'SIGINT', 130],
    ['SIGTERM to all', 'SIGTERM', 143],
  ] as const) {
    test(`${launcher}, ${how}: the request is answered, no death is reported, and the exit code is that of the signal`, async (t) => {
      const { terminal, port, pids } = await shell(t, { launcher, slowMs: 700 });
      const slow = ask(port, '/slow');
      await until('the request', () => terminal.output.includes('arrived'));
      const workers = pids();
      assert.equal(workers.length, 2);
      if (signal === 'SIGINT') terminal.type('\x03');
      else process.kill(-groupOf(workers[0]!), signal);
      assert.equal(await slow, 'slow');
      await until(
        'the prompt',
        () => prompts(terminal) >= 2,
        () => terminal.output,
      );
      terminal.type('echo "code $?."\n');
      await until(
        'the exit code',
        () => terminal.output.includes(`code ${code}.`),
        () => terminal.output,
      );
      await until('the end of the workers', () => !workers.some(alive));
      assert.equal(pids().length, 2, 'none was forked again');
      assert.doesNotMatch(terminal.output, /WORKER_DIED|CRASH_LOOP|Next try/);
    });
  }
}

test('Ctrl-C, twice within a moment as npm passes it on: the request is answered, and no death is reported', async (t) => {
  const { terminal, port, pids } = await shell(t);
  const slow = ask(port, '/slow');
  await until('the request', () => terminal.output.includes('arrived'));
  terminal.type('\x03\x03');
  assert.equal(await slow, 'slow');
  await until(
    'the prompt',
    () => prompts(terminal) >= 2,
    () => terminal.output,
  );
  await until('the end of the workers', () => !pids().some(alive));
  assert.match(terminal.output, /stopping, 1 request in flight, at most 10 s in all; again \(Ctrl-C\) to end at once/);
  assert.doesNotMatch(terminal.output, /WORKER_DIED|CRASH_LOOP|Next try/);
});

test('Ctrl-C again after it was announced: it ends at once, and nothing is printed on the shell’s prompt', async (t) => {
  const { terminal, port, pids } = await shell(t);
  const slow = ask(port, '/slow');
  await until('the request', () => terminal.output.includes('arrived'));
  terminal.type('\x03');
  await until(
    'the announcement',
    () => terminal.output.includes('again (Ctrl-C)'),
    () => terminal.output,
  );
  terminal.type('\x03');
  await until('the prompt', () => prompts(terminal) >= 2);
  const before = terminal.output;
  assert.notEqual(await slow, 'slow');
  await until('the end of the workers', () => !pids().some(alive));
  // The shipper's next look, and its next try, are within this.
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(terminal.output.slice(before.length).trim(), '');
  assert.doesNotMatch(terminal.output, /WORKER_DIED/);
});

test('a window that is closed: the workers drain, and all is gone', async (t) => {
  const { terminal, port, pids } = await shell(t);
  const slow = ask(port, '/slow');
  await until('the request', () => terminal.output.includes('arrived'));
  const workers = pids();
  assert.equal(workers.length, 2);
  terminal.close();
  assert.equal(await slow, 'slow');
  await until('the end of the workers', () => !workers.some(alive));
});
