import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const register = import.meta.resolve('forktrace/register');
const program = fileURLToPath(new URL('../fixtures/says-what-is-loaded.cjs', import.meta.url));

interface Loaded {
  builtins: string[];
  files: string[];
}

async function run(t: TestContext, ...args: string[]) {
  return runProgram(t, program, {
    args,
    execArgv: ['--import', register],
    env: { NODE_ENV: 'production', FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
}

async function loadedBy(t: TestContext, what: 'nothing' | 'child' | 'thread' | 'server'): Promise<Loaded> {
  const child = await run(t, what);
  const [line] = await child.waitForOutput(/^\{.*\}$/m);
  assert.deepEqual(await child.waitForExit(), { code: 0, signal: null });
  return JSON.parse(line);
}

/** Files that a package or this one has brought. */
const ofPackages = (files: string[]) =>
  files
    .filter((file) => !/says-what-is-loaded/.test(file))
    .map((file) => file.replace(/^.*\/(?=(?:dist|node_modules)\/)/, ''))
    .sort();

test('a process that starts neither a span nor a server has loaded one bundle', async (t) => {
  const { files } = await loadedBy(t, 'nothing');
  assert.deepEqual(ofPackages(files), ['dist/bundle-preload.cjs', 'dist/load-bundle.cjs']);
});

for (const what of ['child', 'thread'] as const)
  test(`a process that starts a ${what} that is not traced has loaded no more when it has ended`, async (t) => {
    const { files } = await loadedBy(t, what);
    assert.deepEqual(ofPackages(files), ['dist/bundle-preload.cjs', 'dist/load-bundle.cjs']);
  });

test('the first request of a server has loaded a handful of files, and none of the slow modules of Node', async (t) => {
  const { builtins, files } = await loadedBy(t, 'server');
  assert.ok(builtins.includes('http'), 'the list has what is loaded');
  // Each of these is 1 to 6 ms of CPU.
  const slow = [
    'crypto',
    'zlib',
    'fs/promises',
    'readline',
    'repl',
    'http2',
    'https',
    'tls',
    'dns/promises',
    'timers/promises',
  ];
  assert.deepEqual(
    slow.filter((name) => builtins.includes(name)),
    [],
  );
  const loaded = ofPackages(files).filter((file) => !file.endsWith('.node'));
  assert.deepEqual(loaded, [
    'dist/api.cjs',
    'dist/bundle-api.cjs',
    'dist/bundle-base.cjs',
    'dist/bundle-preload.cjs',
    'dist/bundle-start.cjs',
    'dist/load-bundle.cjs',
    'node_modules/@opentelemetry/api/build/src/index.js',
  ]);
});

test('the generator of ids is loaded between two requests, not when a request needs it', async (t) => {
  const child = await run(t, 'server', 'crypto');
  const [, , later = ''] = await child.waitForOutput(/^(\{.*\})\n(\{.*\})$/m);
  assert.ok((JSON.parse(later) as Loaded).builtins.includes('crypto'));
  assert.deepEqual(await child.waitForExit(), { code: 0, signal: null });
});
