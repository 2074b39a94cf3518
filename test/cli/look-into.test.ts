import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));

function forktrace(
  runDir: string,
  ...args: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [cli, ...args], { env: { ...process.env, FORKTRACE_RUN_DIR: runDir } });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...output })));
}

const config = {
  workers: 1,
  pipeline: 'journal',
  export: { to: 'none' },
  supervise: { heartbeatTimeoutMs: 0 },
} as const;

test('stack: an idle worker waits; a blocked one tells its line and its request, as often as it is asked', async (t) => {
  const cluster = await RunningCluster.ready(t, config, { fixture: 'stuck-cluster' });
  const pid = await cluster.pidOf(0);
  const idle = await until('it may be looked into', async () => {
    const output = await forktrace(cluster.runDir, 'stack');
    return output.code === 0 ? output : undefined;
  });
  assert.match(idle.stdout, new RegExp(`^slot 0 {2}pid ${pid} {2}waits for events`));

  void cluster.get('/loop').catch(() => {});
  await until('it is blocked', () => cluster.lines.some(({ arrived }) => arrived === 'loop'));
  const [blocked] = JSON.parse((await forktrace(cluster.runDir, 'stack', '0', '--json')).stdout);
  assert.equal(blocked.pid, pid);
  assert.match(blocked.stack, /renderTemplate .*stuck-cluster/);
  assert.equal(blocked.active.name, 'render');
});

test('stack: a worker that waits for a child process says so, and the exit code is 1', async (t) => {
  const cluster = await RunningCluster.ready(t, config, { fixture: 'stuck-cluster' });
  void cluster.get('/exec').catch(() => {});
  await until('it is blocked', () => cluster.lines.some(({ arrived }) => arrived === 'exec'));
  const { code, stdout } = await until('it is in execSync', async () => {
    const output = await forktrace(cluster.runDir, 'stack');
    return output.stdout.includes('sleep 600') ? output : undefined;
  });
  assert.match(stdout, /waits, and has a child process: .*sleep 600/);
  assert.equal(code, 1);
});

test('profile: all workers in one file that is its owner’s, and a flame graph; nothing stays open', async (t) => {
  const cluster = await RunningCluster.ready(t, { ...config, workers: 2 }, { fixture: 'stuck-cluster' });
  const file = join(await tempDir(t), 'a.cpuprofile');
  const profiling = until('both may be looked into', async () => {
    const output = await forktrace(cluster.runDir, 'profile', '--seconds', '2', '--out', file, '--html');
    return output.code === 0 ? output : undefined;
  });
  let done = false;
  t.after(() => {
    done = true;
  });
  const load = (async () => {
    while (!done) await cluster.get('/loop?ms=100');
  })();
  const { stdout } = await profiling;
  done = true;
  await load;
  assert.match(stdout, /renderTemplate/);
  assert.match(stdout, /^ *\d+\.\d % {2}\S+ \/.*stuck-cluster\.js:\d+$/m);
  assert.match(stdout, /slot 0 \(pid \d+\), slot 1 \(pid \d+\): \d+ ms of work in 2 s/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const page = file.replace('.cpuprofile', '.html');
  assert.ok(stdout.includes(`as a page: ${pathToFileURL(page).href}`), stdout);
  assert.equal(statSync(page).mode & 0o777, 0o600);
  assert.match(readFileSync(page, 'utf8'), /<div class="box app"[^>]*><b title="renderTemplate \S*stuck-cluster/);
  const profile = JSON.parse(readFileSync(file, 'utf8'));
  const ids = new Set(profile.nodes.map(({ id }: { id: number }) => id));
  assert.equal(ids.size, profile.nodes.length);
  assert.ok(profile.samples.every((id: number) => ids.has(id)));
  assert.equal(profile.samples.length, profile.timeDeltas.length);
  await cluster.settled('the inspectors are closed', ({ workers }) => workers.every(({ debugged }) => !debugged));
  assert.doesNotMatch(cluster.output, /Debugger|For help/);
});

test('a process that is not ours, by its pid: its stack, and its inspector is closed again', async (t) => {
  const runDir = await tempDir(t);
  const program = runProgram(t, fixture('blocked'), { args: ['loop'] });
  await program.waitForOutput(/^begins$/m);
  const { stdout, code } = await forktrace(runDir, 'stack', String(program.child.pid));
  assert.equal(code, 0, stdout);
  assert.match(stdout, /at theHandler /);
});

test('a process that SIGUSR1 would end is left alone', async (t) => {
  const runDir = await tempDir(t);
  const sleeper = spawn('sleep', ['60']);
  t.after(() => sleeper.kill('SIGKILL'));
  const { code, stdout } = await forktrace(runDir, 'stack', String(sleeper.pid));
  assert.equal(code, 1);
  assert.match(stdout, /it runs sleep, not node/);
  assert.equal(sleeper.exitCode ?? sleeper.signalCode, null);
  const none = await forktrace(runDir, 'stack', '999999999');
  assert.equal(none.code, 1);
  assert.match(none.stderr, /neither a slot nor a pid/);
});
