import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Its server starts tracing before it has the API; then each kind of loading gets a copy. */
const PROGRAM = `
import { createServer, get } from 'node:http';
import { once } from 'node:events';
import { createRequire } from 'node:module';

const server = createServer(async (request, response) => {
  const required = createRequire(import.meta.url)('@opentelemetry/api');
  const imported = await import('@opentelemetry/api');
  const entry = Object.keys(createRequire(import.meta.url).cache).filter((file) => file.includes('@opentelemetry/api/') && file.endsWith('.js'));
  const span = imported.trace.getActiveSpan();
  response.end(JSON.stringify({
    files: entry.length,
    isOne: Object.keys(required).every((name) => name === 'default' || imported[name] === required[name]),
    isActive: span !== undefined && span === required.trace.getSpan(required.context.active()),
  }));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
get({ port: server.address().port, host: '127.0.0.1', agent: false }, (response) => {
  response.on('data', (data) => console.log(String(data)));
  response.once('end', () => process.exit());
});
`;

test('the app gets the copy of the API that tracing has, by require and import, and it is one file', async (t) => {
  const dir = await tempDir(t);
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
  await writeFile(join(dir, 'program.mjs'), PROGRAM);
  const program = runProgram(t, join(dir, 'program.mjs'), {
    cwd: dir,
    execArgv: ['--import', import.meta.resolve('forktrace/register')],
    env: { NODE_ENV: 'production', FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
  const [line] = await program.waitForOutput(/^\{.*\}$/m);
  assert.deepEqual(JSON.parse(line), { files: 1, isOne: true, isActive: true });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
});

/** Each loads the API before tracing starts, and prints which files that took, and whether spans are real. */
const SAYS = `
const spans = [api.trace.getTracer('a').startSpan('first'), api.trace.getTracer('b').startSpan('second')];
const { traceId } = spans[0].spanContext();
for (const span of spans) span.end();
console.log(JSON.stringify({
  files: Object.keys(cache).filter((file) => /@opentelemetry.api.|bundle-api/.test(file)).map((file) => file.replace(/^.*[\\\\/]/, '')).sort(),
  isRecording: /[1-9a-f]/.test(traceId),
}));
`;
const TOOLS = {
  'tool.cjs': `const { cache } = require; const api = require('@opentelemetry/api'); ${SAYS}`,
  'tool.mjs': `import * as api from '@opentelemetry/api'; import { createRequire } from 'node:module';
    const { cache } = createRequire(import.meta.url); ${SAYS}`,
  'replaced.cjs': `const { cache } = require; const file = require.resolve('@opentelemetry/api');
    const own = { exports: { trace: 'its own' }, loaded: true, children: [] };
    cache[file] = own;
    console.log(JSON.stringify({ isReplaced: require('@opentelemetry/api') === own.exports }));`,
};

for (const [name, text] of Object.entries(TOOLS)) {
  test(`an app that loads the API before tracing starts gets it as one file, too: ${name}`, async (t) => {
    const dir = await tempDir(t);
    await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
    await writeFile(join(dir, name), text);
    const program = runProgram(t, join(dir, name), {
      cwd: dir,
      execArgv: ['--import', import.meta.resolve('forktrace/register')],
      env: { NODE_ENV: 'production', FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
    });
    const [line] = await program.waitForOutput(/^\{.*\}$/m);
    const expected = { files: ['bundle-api.cjs', 'index.js'], isRecording: true };
    assert.deepEqual(JSON.parse(line), name === 'replaced.cjs' ? { isReplaced: true } : expected);
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  });
}
