// Runs the compiled tests: all of them, or those whose path contains one of the arguments.
//   npm test                    everything
//   npm test -- http span       test/http/**, test/span/**, and any other path with these words
//   npm test -- --coverage      everything, with the coverage of src/, which must be high enough
//
// With CI=true a file in which something failed runs once more, alone, and is named as one that depends on
// the load when it passes then; if many fail, none is run again. With --coverage, tests of what this Node.js
// lacks run with one that has it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { nodeOf } from './node-version.mjs';

const MAX_REPEATED = 6;
/** They are skipped where Node.js has no node:sqlite, which came with 22.13. */
const NEED_SQLITE = ['dist-test/viewer/trace-database.test.js'];

const root = fileURLToPath(new URL('..', import.meta.url));
const { values, positionals: words } = parseArgs({
  options: { coverage: { type: 'boolean' } },
  allowPositionals: true,
});

// The sources name the tests, so that a compiled file whose source is gone does not run.
const files = readdirSync(`${root}test`, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  // Some tests install packages below test/, which have tests of their own.
  .filter((file) => file.endsWith('.test.ts') && !file.includes('node_modules/'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort()
  .map((file) => `dist-test/${file.replace(/\.ts$/, '.js')}`);

if (files.length === 0) {
  console.error(`no test file matches: ${words.join(' ')}`);
  process.exit(1);
}
const coverage = values.coverage ? new (await import('./coverage.mjs')).Coverage() : undefined;
let failed = await run(files, 2);
if (process.env.CI && failed.length > 0 && failed.length <= MAX_REPEATED) {
  // Two files at a time share the machine. What fails then and passes alone depends on the load: it is named.
  console.log(`\n# failed, once more, each alone:\n${failed.map((file) => `#   ${file}\n`).join('')}`);
  const again = await run(failed, 1);
  const passed = failed.filter((file) => !again.includes(file));
  if (passed.length > 0)
    console.log(`\n# depends on the load, to be mended:\n${passed.map((file) => `#   ${file}\n`).join('')}`);
  failed = again;
}
if (coverage && process.getBuiltinModule('node:sqlite') === undefined) {
  const lacking = files.filter((file) => NEED_SQLITE.includes(file));
  if (lacking.length > 0) failed.push(...(await run(lacking, 1, nodeOf('24'))));
}
const covered = (await coverage?.report()) ?? true;
process.exitCode = failed.length === 0 && covered ? 0 : 1;

/** Runs the files, so many at a time. Returns those in which something failed. */
async function run(paths, concurrency, node = process.execPath) {
  const directory = mkdtempSync(join(tmpdir(), 'forktrace-tests-'));
  const report = join(directory, 'failed');
  const reporters = [
    [process.stdout.isTTY ? 'spec' : 'tap', 'stdout'],
    [fileURLToPath(new URL('failed-files.mjs', import.meta.url)), report],
  ].flatMap(([reporter, to]) => [`--test-reporter=${reporter}`, `--test-reporter-destination=${to}`]);
  const options = ['--enable-source-maps', '--test', `--test-concurrency=${concurrency}`, '--test-timeout=600000'];
  const tests = spawn(node, [...options, ...reporters, ...paths], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...coverage?.environment },
  });
  try {
    const [status, signal] = await once(tests, 'exit');
    const lines = existsSync(report) ? readFileSync(report, 'utf8').split('\n').filter(Boolean) : [];
    // A failure is told of by its source or by its compiled file.
    const failures = new Set(
      lines.map((line) => relative(root, line).replace(/^(?:dist-)?test(.*)\.[jt]s$/, 'dist-test$1.js')),
    );
    const found = paths.filter((path) => failures.has(path));
    // The runner itself failed, or in a way that names no file.
    return found.length === 0 && (status !== 0 || signal !== null) ? paths : found;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
