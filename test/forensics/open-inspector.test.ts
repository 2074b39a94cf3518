import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fixture, runProgram } from '../process/run-program.js';

const unshare = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const able = spawnSync('unshare', [...unshare, 'sh', '-c', 'echo 100 > /proc/sys/kernel/ns_last_pid']).status === 0;

test('a process that ends while it is asked, and whose pid another one gets: that one is not taken for it', {
  skip: able ? false : 'needs Linux and root: unshare --pid, ns_last_pid',
}, async (t) => {
  const program = runProgram(t, fixture('reused-pid'), { node: 'unshare', execArgv: [...unshare, process.execPath] });
  assert.equal((await program.waitForExit()).code, 0, program.output);
  const { found } = JSON.parse(program.stdout);
  assert.match(JSON.stringify(found), /it has ended, and its pid is another process by now/);
});
