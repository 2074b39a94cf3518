import assert from 'node:assert/strict';
import { chmod, chown, cp, mkdir, readdir, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const register = import.meta.resolve('forktrace/register');
const spy = fileURLToPath(new URL('../fixtures/says-whose-code.cjs', import.meta.url));
const loads = fileURLToPath(new URL('../fixtures/says-what-is-loaded.cjs', import.meta.url));
const isRoot = process.getuid?.() === 0;

const PRELOAD = 'bundle-preload.cjs';
const OF_A_SERVER = ['bundle-api.cjs', 'bundle-base.cjs', PRELOAD, 'bundle-start.cjs'];

async function environment(t: TestContext) {
  const TMPDIR = await tempDir(t);
  const journal = join(TMPDIR, 'journal');
  return {
    TMPDIR,
    NODE_ENV: 'production',
    FORKTRACE_QUIET: '1',
    FORKTRACE_EXPORT: 'none',
    FORKTRACE_JOURNAL_DIR: journal,
  };
}

type Environment = Awaited<ReturnType<typeof environment>> & Record<string, string | undefined>;

/** Which bundles a process has loaded, and whether with the code of an earlier one. */
async function taken(t: TestContext, env: Environment, what: 'nothing' | 'server', ...flags: string[]) {
  return takenBy(t, register, env, what, ...flags);
}

/** As {@link taken}, by one of several copies of the package. */
async function takenBy(t: TestContext, copy: string, env: Environment, what: string, ...flags: string[]) {
  const execArgv = [...flags, '--require', spy, '--import', copy];
  const withCache = { NODE_DISABLE_COMPILE_CACHE: undefined, ...env };
  const program = runProgram(t, loads, { args: [what], execArgv, env: withCache });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.doesNotMatch(program.stderr, /./);
  return JSON.parse(program.stdout.trim().split('\n').at(-1)!) as Record<string, boolean>;
}

const all = (names: string[], isTaken: boolean) => Object.fromEntries(names.map((name) => [name, isTaken]));
const codeIn = (env: Environment) => join(env.TMPDIR, `forktrace-${process.geteuid!()}`, '.code-cache');

/** Has a server live until the code of all that it has loaded is kept. @returns where */
async function keepCode(t: TestContext, env: Environment): Promise<string> {
  const program = runProgram(t, loads, {
    args: ['server', 'never loaded'],
    execArgv: ['--import', register],
    env: { NODE_DISABLE_COMPILE_CACHE: undefined, ...env },
  });
  const directory = await waitFor(async () => {
    for (const name of await readdir(codeIn(env)).catch((): string[] => [])) {
      const files = await readdir(join(codeIn(env), name)).catch((): string[] => []);
      if (OF_A_SERVER.every((file) => files.includes(file))) return join(codeIn(env), name);
    }
    return undefined;
  }, 'the code is kept');
  program.kill('SIGTERM');
  await program.waitForExit();
  return directory;
}

test('a start takes the code that an earlier process has kept for this user, unless it is not to be trusted', async (t) => {
  const env: Environment = await environment(t);
  assert.deepEqual(await taken(t, env, 'server'), all(OF_A_SERVER, false), 'there is none');
  for (let version = 0; version < 17; version++)
    await mkdir(join(codeIn(env), `of version ${version}`), { recursive: true, mode: 0o700 });
  const directory = await keepCode(t, env);
  assert.equal((await readdir(codeIn(env))).length, 16, 'the oldest are removed');
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  const kept = join(directory, PRELOAD);
  assert.equal((await stat(kept)).mode & 0o777, 0o600);
  assert.deepEqual(await taken(t, env, 'server'), all(OF_A_SERVER, true));
  assert.deepEqual(await taken(t, env, 'server', '--enable-source-maps'), all(OF_A_SERVER, false), 'other flags');

  const copy = `${kept}.copy`;
  await cp(kept, copy);
  const nothing = () => taken(t, env, 'nothing');
  const others: [string, () => Promise<unknown>][] = [
    ['of other versions', () => truncate(kept, 100)],
    ['garbage', () => writeFile(kept, 'x'.repeat(100_000))],
    ['empty', () => truncate(kept)],
    ['that others can write', () => chmod(kept, 0o606)],
    ['that is a link', () => rm(kept).then(() => symlink(copy, kept))],
    ['in a directory that others can enter', () => chmod(directory, 0o755)],
    ...(isRoot
      ? ([
          ['of another user', () => chown(kept, 12345, 12345)],
          ['in a directory of another user', () => chown(directory, 12345, 12345)],
        ] satisfies [string, () => Promise<unknown>][])
      : []),
  ];
  for (const [what, change] of others) {
    await change();
    assert.deepEqual(await nothing(), { [PRELOAD]: false }, `code ${what}`);
    await rm(kept, { force: true });
    await cp(copy, kept);
    await chmod(directory, 0o700);
    if (isRoot) await chown(directory, process.getuid!(), process.getgid!());
  }
  assert.deepEqual(await nothing(), { [PRELOAD]: true }, 'as it was');
  const none = { NODE_DISABLE_COMPILE_CACHE: '1', ...env };
  assert.deepEqual(await taken(t, none, 'nothing'), {}, 'loaded by Node');
});

test('another copy of the package does not take the code: its frames of the stack would have the paths of the first', async (t) => {
  const env: Environment = await environment(t);
  await keepCode(t, env);
  const place = await tempDir(t);
  const root = dirname(dirname(fileURLToPath(register)));
  await cp(join(root, 'dist'), join(place, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(place, 'package.json'));
  await symlink(join(root, 'node_modules'), join(place, 'node_modules'));
  const other = pathToFileURL(join(place, 'dist', 'register.js')).href;
  assert.deepEqual(await takenBy(t, other, env, 'server'), all(OF_A_SERVER, false));
  assert.deepEqual(await taken(t, env, 'server'), all(OF_A_SERVER, true));
});

const PRECIOUS = Array.from({ length: 17 }, (_, n) => `precious ${n + 10}`);
const PLACES: [what: string, make: (path: string, elsewhere: string) => Promise<unknown>][] = [
  ['a link to a directory', (path, elsewhere) => symlink(elsewhere, path)],
  ['a directory that others can write', (path) => chmod(path, 0o777)],
  ...(isRoot ? ([['a directory of another user', (path) => chown(path, 12345, 12345)]] satisfies typeof PLACES) : []),
];

for (const [what, make] of PLACES) {
  test(`${what} in the place of the code: nothing is made there, and nothing is removed`, async (t) => {
    const env: Environment = await environment(t);
    const elsewhere = await tempDir(t);
    const isLink = what.startsWith('a link');
    await mkdir(isLink ? dirname(codeIn(env)) : codeIn(env), { recursive: true, mode: 0o700 });
    await make(codeIn(env), elsewhere);
    for (const name of PRECIOUS) await mkdir(join(codeIn(env), name), { mode: 0o700 });
    // Says when the code of a file would have been kept.
    const looks = join(env.TMPDIR, 'says-looks.cjs');
    await writeFile(
      looks,
      `const fs = require('node:fs');
       const { existsSync } = fs;
       fs.existsSync = (path) => {
         if (/code-cache/.test(path)) setImmediate(() => console.log(\`looked for \${path}\`));
         return existsSync(path);
       };`,
    );
    const program = runProgram(t, loads, {
      args: ['server', 'never loaded'],
      execArgv: ['--require', looks, '--import', register],
      env: { NODE_DISABLE_COMPILE_CACHE: undefined, ...env },
    });
    await waitFor(
      () => OF_A_SERVER.every((file) => new RegExp(`looked for .*/${file}$`, 'm').test(program.stdout)),
      () => `a look for each file\n${program.output}`,
    );
    program.kill('SIGTERM');
    await program.waitForExit();
    assert.deepEqual((await readdir(codeIn(env))).sort(), PRECIOUS);
  });
}

test('a cluster starts with the code that an earlier one has kept', async (t) => {
  const env: Environment = await environment(t);
  const path = join(env.TMPDIR, 'cluster.mjs');
  await writeFile(
    path,
    `import { startClusterWithTracing } from ${JSON.stringify(import.meta.resolve('forktrace'))};
    await startClusterWithTracing(() => (_request, response) => response.end(), { workers: 1, listen: { port: 0 } });
    console.log('started');`,
  );
  for (const isTaken of [false, true]) {
    const withCache = { NODE_DISABLE_COMPILE_CACHE: undefined, ...env };
    const program = runProgram(t, path, { execArgv: ['--require', spy], env: withCache });
    await program.waitForOutput(/(?:started\s+){2}/);
    if (!isTaken) {
      const hasIndex = async (name: string) =>
        (await readdir(join(codeIn(env), name)).catch((): string[] => [])).includes('bundle-index.cjs');
      await program.waitFor(async () => {
        const names = await readdir(codeIn(env)).catch((): string[] => []);
        return names.length === 2 && (await Promise.all(names.map(hasIndex))).every(Boolean);
      }, 'the code of coordinator and worker is kept: they have other flags');
    }
    program.kill('SIGTERM');
    await program.waitForExit();
    const ofTheWorker = program.stdout.match(/(?<="bundle-index\.cjs":)\w+/g);
    assert.deepEqual(ofTheWorker, [`${isTaken}`], program.output);
  }
});

test('what killed processes have left of their code is removed by the next that keeps code', async (t) => {
  const env: Environment = await environment(t);
  const directory = await keepCode(t, env);
  const [left, inUse] = [join(directory, `${PRELOAD}.1`), join(directory, `${PRELOAD}.2`)];
  for (const file of [left, inUse]) await writeFile(file, 'a part');
  const hourAgo = new Date(Date.now() - 3_600_000);
  await utimes(left, hourAgo, hourAgo);
  await rm(join(directory, PRELOAD));
  await keepCode(t, env);
  const found = (await readdir(directory)).filter((name) => name.startsWith(PRELOAD));
  assert.deepEqual(found.sort(), [PRELOAD, `${PRELOAD}.2`]);
});
