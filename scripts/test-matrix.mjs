// Runs the suite with each supported major version of Node. This one's own is used as it is; the others come
// from the npm package `node` into .node/<major>.
//   npm run test:matrix                  20, 22, 24 and 26
//   npm run test:matrix -- 22 24 -- http those versions, with arguments for scripts/test.mjs
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { nodeOf } from './node-version.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const separator = process.argv.indexOf('--', 2);
const wanted = process.argv.slice(2, separator === -1 ? undefined : separator);
const words = separator === -1 ? [] : process.argv.slice(separator + 1);
const majors = wanted.length > 0 ? wanted : ['20', '22', '24', '26'];

const failed = [];
for (const major of majors) {
  const node = nodeOf(major);
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\n=== Node ${version}`);
  // Fixtures start their children with the same Node; what they look up by name must find it, too.
  const env = { ...process.env, PATH: `${node.slice(0, node.lastIndexOf('/'))}:${process.env.PATH}` };
  const { status } = spawnSync(node, ['scripts/test.mjs', ...words], { cwd: root, stdio: 'inherit', env });
  if (status !== 0) failed.push(version);
}
console.log(failed.length === 0 ? `\nall pass: Node ${majors.join(', ')}` : `\nfailed with Node ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
