// Runs the compiled tests: all of them, or those whose path contains one of the arguments.
//   npm test                 everything
//   npm test -- http span    test/http/**, test/span/**, and any other path with these words
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const words = process.argv.slice(2);

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
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--test', '--test-concurrency=2', '--test-timeout=600000', ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
