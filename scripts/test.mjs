// Runs the compiled tests: all of them, or those whose path contains one of the arguments.
//   npm test                    everything
//   npm test -- http span       test/http/**, test/span/**, and any other path with these words
//   npm test -- --coverage      everything, with the coverage of src/, which must be high enough
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

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
const tests = spawn(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=2', '--test-timeout=600000', ...files],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ...coverage?.environment } },
);
const status = await new Promise((resolve) => tests.once('exit', resolve));
const covered = (await coverage?.report()) ?? true;
process.exitCode = status === 0 && !covered ? 1 : (status ?? 1);
