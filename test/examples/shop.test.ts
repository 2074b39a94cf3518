import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../process/run-program.js';

const start = fileURLToPath(new URL('../../dist-examples/shop/start.js', import.meta.url));

test('a bounded run of the example shop shows traces across processes, survives a crash, and ends by itself', async (t) => {
  // The 50th kills its worker; the others take the coordinator past that before it is told to stop.
  const program = runProgram(t, start, { args: ['--requests', '90', '--exit', '--port', '0'] });
  assert.deepEqual(await program.waitForExit(60_000), { code: 0, signal: null }, program.output);
  for (const slot of [0, 1, 2, 3]) assert.match(program.stdout, new RegExp(`shop · slot ${slot} · pid`));
  // One tree from the shop's front to the other process.
  assert.match(
    program.stdout,
    /POST \/checkout .*\n(?:.*\n)*?.*checkout\.o.*\n(?:.*\n)*?.*checkout\.p.*\n.*POST.*\n.*POST.* payments · pid.*\n.*payments\.au/,
  );
  assert.match(program.stdout, /GET \/recommendations .*✗ error/);
  assert.match(program.stderr, /FORKTRACE_WORKER_DIED.*SIGKILL/);
  assert.match(program.stdout, /90 requests \(broken: [1-9]\d*, 200: \d+/);
  assert.deepEqual(program.pids(), []);
});

test('Ctrl-C ends the example shop cleanly', async (t) => {
  const program = runProgram(t, start, { args: ['--port', '0', '--no-crashes'], ownGroup: true });
  await program.waitForOutput(/shop · slot \d/);
  program.killGroup('SIGINT');
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.match(program.stdout, /\d+ requests .* spans in \d+ traces/);
  assert.deepEqual(program.pids(), []);
});
