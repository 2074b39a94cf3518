import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isInRange } from '#src/instrumentation/version-range.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

test('version ranges, as packages of OpenTelemetry write them', () => {
  for (const [version, range, expected] of [
    ['1.9.1', '^1.3.0', true],
    ['2.0.0', '^1.3.0', false],
    ['1.9.1', '>=1.10.0 <1.11.0', false],
    ['1.10.3', '>=1.10.0 <1.11.0', true],
    ['1.11.0', '>=1.10.0 <1.11.0', false],
    ['20.20.2', '^18.19.0 || >=20.6.0', true],
    ['19.0.0', '^18.19.0 || >=20.6.0', false],
    ['0.223.4', '^0.223.0', true],
    ['0.224.0', '^0.223.0', false],
    ['1.2.9', '~1.2.3', true],
    ['1.3.0', '~1.2.3', false],
    ['1.2.3', '1.2.3', true],
    ['9.9.9', '*', true],
  ] as const) {
    assert.equal(isInRange(version, range), expected, `${version} in ${range}`);
  }
});

interface Versions {
  api: string;
  instrumentation: { name: string; version: string; engines?: object };
  base: { version: string; peerDependencies: object };
}

/**
 * A project with packages of these versions, each of which would fail at its first use, in an app that says
 * when it listens.
 */
async function start(t: TestContext, { api, instrumentation, base }: Versions, env = {}) {
  const dir = await tempDir(t);
  for (const manifest of [
    { name: '@opentelemetry/api', version: api },
    instrumentation,
    { name: '@opentelemetry/instrumentation', ...base },
  ]) {
    const installed = join(dir, 'node_modules', manifest.name);
    await mkdir(installed, { recursive: true });
    await writeFile(join(installed, 'package.json'), JSON.stringify({ ...manifest, main: 'index.js' }));
    await writeFile(join(installed, 'index.js'), 'throw new TypeError("getLogger is not a function");');
  }
  await writeFile(
    join(dir, 'app.cjs'),
    `require('node:http').createServer().listen(0, function () { console.log('listens'); this.close(); });`,
  );
  return runProgram(t, join(dir, 'app.cjs'), {
    execArgv: ['--import', import.meta.resolve('forktrace/register')],
    cwd: dir,
    env: { FORKTRACE_INSTRUMENTATIONS: 'auto', FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: dir, ...env },
  });
}

const NEW = {
  instrumentation: { name: '@opentelemetry/instrumentation-pg', version: '0.77.0' },
  base: { version: '0.301.0', peerDependencies: { '@opentelemetry/api': '>=1.10.0 <1.11.0' } },
};

test('an instrumentation that needs a newer API stops the start, with the command that mends it', async (t) => {
  const program = await start(t, { api: '1.9.1', ...NEW });
  assert.deepEqual(await program.waitForExit(), { code: 1, signal: null }, program.output);
  assert.equal(program.stdout, '');
  assert.match(
    program.stderr,
    /^forktrace: The instrumentation @opentelemetry\/instrumentation 0\.301\.0 needs @opentelemetry\/api >=1\.10\.0 <1\.11\.0, found @opentelemetry\/api 1\.9\.1\. Run npm install @opentelemetry\/api@1\.10, or .*\[FORKTRACE_INSTRUMENTATION_VERSION\]$/m,
  );
});

test('an instrumentation that needs a newer Node.js stops the start', async (t) => {
  const { name } = NEW.instrumentation;
  const instrumentation = { name, version: '0.77.0', engines: { node: '>=99.15.0' } };
  const program = await start(t, { api: '1.10.0', instrumentation, base: NEW.base });
  assert.deepEqual(await program.waitForExit(), { code: 1, signal: null }, program.output);
  assert.match(program.stderr, /instrumentation-pg 0\.77\.0 needs Node\.js >=99\.15\.0, found Node\.js \d+/);
});

test('one that is left out is not looked at', async (t) => {
  const program = await start(t, { api: '1.9.1', ...NEW }, { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'pg' });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.equal(program.stdout, 'listens\n');
});

test('one that throws when it is loaded is named in a warning, and the app runs without it', async (t) => {
  const program = await start(t, { api: '1.10.0', ...NEW });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.match(
    program.stderr,
    /\[FORKTRACE_INSTRUMENTATION_FAILED\].*instrumentation-pg 0\.77\.0 could not be enabled: getLogger is not a function/,
  );
});
