import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const register = import.meta.resolve('forktrace/register');

test('a thread starts, and ends, while modules of forktrace are just being imported', async (t) => {
  const dir = await tempDir(t);
  const path = join(dir, 'program.mjs');
  // Node.js tells of a thread in whatever turn comes next. Node 20 throws where an ES module is required then
  // whose import has begun.
  const modules = ['told-exit', 'run-directory', 'watch-thread', 'watch-children'].map((name) =>
    import.meta.resolve(`#src/process/${name}.js`),
  );
  await writeFile(
    path,
    `import { EventEmitter } from 'node:events';
    const imported = ${JSON.stringify(modules)}.map((url) => import(url));
    // Once it has begun, and before a file of it is read.
    for (let turn = 0; turn < 3; turn++) await undefined;
    const thread = Object.assign(new EventEmitter(), { threadId: 1 });
    process.emit('worker', thread);
    thread.emit('exit', 1);
    await Promise.all(imported);
    console.log('imported');`,
  );
  const program = runProgram(t, path, {
    execArgv: ['--import', register],
    env: { NODE_ENV: 'production', FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: join(dir, 'journal') },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.match(program.stdout, /imported/);
});
