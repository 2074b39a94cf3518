import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeResource } from '#src/journal/encoder.js';
import { openJournal } from '#src/journal/journal.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { asUser } from '../process/as-user.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { mountTmpfs } from './mounted.js';

const root = process.getuid?.() === 0;
const NOBODY = 65534;
const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));

async function traced(
  t: TestContext,
  endpoint: OtlpEndpoint,
  env: NodeJS.ProcessEnv,
  through: string[] = [],
): Promise<Program> {
  const [node = process.execPath, ...execArgv] = [...through, process.execPath];
  const program = runProgram(t, fixture('destination-writer'), {
    node,
    execArgv,
    args: ['span'],
    ipc: true,
    env: { NODE_ENV: 'production', OTEL_SERVICE_NAME: 'shop', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl, ...env },
  });
  await program.waitForOutput(/ready/);
  return program;
}

const count = (text: string, pattern: RegExp) => text.split(pattern).length - 1;

for (const [what, dir] of [
  ['below /proc', '/proc/forktrace/journal'],
  ['below a file', '/etc/passwd/journal'],
  ['on a device', '/dev/null/journal'],
  ['below /sys', '/sys/forktrace'],
] as const) {
  test(`a journal ${what}: one warning, and spans go all the same`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const program = await traced(t, endpoint, { FORKTRACE_JOURNAL_DIR: dir, OTEL_BSP_SCHEDULE_DELAY: '100' });
    await endpoint.waitForSpans(1);
    assert.equal(count(program.stderr, /FORKTRACE_JOURNAL_DIR\]/), 1, program.stderr);
    assert.doesNotMatch(program.stderr, /FORKTRACE_SHIPPER/);
  });
}

test('a volume that is mounted with mode 0777, as an emptyDir is, holds a journal in a folder of our own', async (t) => {
  const volume = mountTmpfs(t, '16m,mode=0777');
  if (volume === undefined) return;
  const journal = openJournal({ dir: join(volume, 'shop'), resource: encodeResource({}) });
  journal.close();
  // Not mounted, anybody of this machine could put another folder in its place.
  const plain = await tempDir(t);
  chmodSync(plain, 0o777);
  assert.throws(() => openJournal({ dir: join(plain, 'shop'), resource: encodeResource({}) }), {
    code: 'FORKTRACE_JOURNAL_DIR',
  });
});

/** A temp directory in which another user has been first. */
async function squatted(t: TestContext): Promise<{ temp: string; taken: string }> {
  const temp = await tempDir(t);
  chmodSync(temp, 0o1777);
  const taken = join(temp, `forktrace-${process.getuid!()}`);
  mkdirSync(taken, { mode: 0o755 });
  return { temp, taken };
}

test('another user who has made the default directory first does not turn the journal off', async (t) => {
  if (!root) return t.skip('needs root, to be two users');
  for (const runtime of [true, false]) {
    const { temp, taken } = await squatted(t);
    chownSync(taken, NOBODY, NOBODY);
    const own = await tempDir(t);
    chmodSync(own, 0o700);
    const endpoint = await OtlpEndpoint.start(t);
    const program = await traced(t, endpoint, { TMPDIR: temp, XDG_RUNTIME_DIR: runtime ? own : undefined });
    await endpoint.waitForSpans(1);
    assert.doesNotMatch(program.stderr, /FORKTRACE_JOURNAL_DIR/);
    assert.deepEqual(readdirSync(taken), []);
    if (runtime) assert.ok(existsSync(join(own, 'forktrace', 'shop')));
  }
});

test('the command talks to no socket of another user, and prints no escape sequences of its own user’s', async (t) => {
  if (!root) return t.skip('needs root, to be two users');
  const { temp, taken } = await squatted(t);
  const run = join(taken, 'run');
  mkdirSync(run, { mode: 0o700 });
  chmodSync(taken, 0o700);
  const status = JSON.stringify({ id: 1, error: { code: 'X', message: 'no\u001b]0;pwned\u0007\u001b[2J' } });
  let asked = 0;
  const server = createServer((socket) => {
    asked++;
    socket.on('data', () => socket.write(`${status}\n`));
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(join(run, `${process.pid}.sock`), resolve));
  t.after(() => server.close());
  const ask = async () => {
    const program = runProgram(t, cli, { args: ['status'], env: { TMPDIR: temp } });
    await program.waitForExit();
    return program;
  };
  const first = await ask();
  assert.equal(asked, 1);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  assert.doesNotMatch(first.stderr + first.stdout, /[\u0007\u001b]/);
  chownSync(join(run, `${process.pid}.sock`), NOBODY, NOBODY);
  await ask();
  chownSync(taken, NOBODY, NOBODY);
  await ask();
  assert.equal(asked, 1);
  writeFileSync(join(temp, 'mine'), '');
});

/** A container as a cluster may start it: what the temp directory is, and who the user is. */
const containers: Record<
  string,
  (t: TestContext) => Promise<{ temp: string; through?: string[]; warnings: number } | undefined>
> = {
  'a read-only root': async (t) => {
    const temp = mountTmpfs(t, '1m,mode=1777,ro');
    return temp === undefined ? undefined : { temp, warnings: 1 };
  },
  'a full temp directory': async (t) => {
    const temp = mountTmpfs(t, '64k,mode=1777');
    if (temp === undefined) return undefined;
    assert.throws(() => writeFileSync(join(temp, 'filling'), Buffer.alloc(256 * 1024)), { code: 'ENOSPC' });
    return { temp, warnings: 1 };
  },
  'no temp directory': async (t) => ({ temp: join(await tempDir(t), 'gone', 'tmp'), warnings: 0 }),
  'a temp directory that is a file': async (t) => {
    const temp = join(await tempDir(t), 'tmp');
    writeFileSync(temp, '');
    return { temp, warnings: 1 };
  },
  'an arbitrary user, whom no file knows': async (t) => {
    if (!root) {
      t.skip('SKIPPED: this needs root, to become another user');
      return undefined;
    }
    const temp = await tempDir(t);
    chmodSync(temp, 0o1777);
    return { temp, through: asUser(1234567, 0), warnings: 0 };
  },
};

for (const [what, container] of Object.entries(containers)) {
  test(`${what}, and no HOME: spans go, with one warning at most, and no shipper that is started again and again`, async (t) => {
    const found = await container(t);
    if (found === undefined) return;
    const endpoint = await OtlpEndpoint.start(t);
    const { temp, through = [], warnings } = found;
    const program = await traced(t, endpoint, { TMPDIR: temp, OTEL_BSP_SCHEDULE_DELAY: '100' }, [
      'env',
      '--unset=HOME',
      '--unset=XDG_RUNTIME_DIR',
      ...through,
    ]);
    await endpoint.waitForSpans(1);
    assert.equal(count(program.stderr, /FORKTRACE_JOURNAL_DIR\]/), warnings, program.stderr);
    assert.doesNotMatch(program.stderr, /FORKTRACE_SHIPPER/);
    program.kill('SIGKILL');
    await program.waitForExit();
  });
}
