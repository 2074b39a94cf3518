// PORT and WEB_CONCURRENCY belong to the app as much as to forktrace.
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const register = fileURLToPath(import.meta.resolve('forktrace/register'));

const run = async (t: TestContext, env: Record<string, string>) =>
  runProgram(t, cli, {
    args: ['run', fixture('plain-app')],
    env: { NODE_ENV: 'production', OTEL_TRACES_EXPORTER: 'none', FORKTRACE_JOURNAL_DIR: await tempDir(t), ...env },
  });

const variables: Record<string, string>[] = [
  { PORT: '/run/app.sock' },
  { PORT: 'http' },
  { WEB_CONCURRENCY: 'auto' },
  { WEB_CONCURRENCY: 'many' },
];
for (const env of variables) {
  test(`under the preload they are the app's: ${JSON.stringify(env)}`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const program = runProgram(t, fixture('unaware-server'), {
      execArgv: ['--import', register],
      env: {
        ...env,
        NODE_ENV: 'production',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
      },
    });
    await endpoint.waitForSpans(1);
    assert.deepEqual(JSON.parse((await program.waitForOutput(/\{.*\}/))[0]).warnings, []);
  });
}

test('a cluster serves on a PORT that is a Unix socket, with a worker per CPU for WEB_CONCURRENCY=auto', async (t) => {
  const socketPath = join(await tempDir(t), 'app.sock');
  await run(t, { PORT: socketPath, WEB_CONCURRENCY: 'auto' });
  const answer = () =>
    new Promise<string | undefined>((resolve) => {
      const request = get({ socketPath, agent: false }, (response) => {
        response.setEncoding('utf8').once('data', resolve);
      });
      request.on('error', () => resolve(undefined));
    });
  assert.equal(await waitFor(answer, 'an answer'), 'served');
});

for (const [env, message] of [
  [{ PORT: 'http' }, /PORT: got "http", expected a port from 0 to 65535, or the path of a Unix socket/],
  [{ WEB_CONCURRENCY: 'many' }, /WEB_CONCURRENCY: got "many", expected a whole number from 1 to 1024, or auto/],
] as [Record<string, string>, RegExp][]) {
  test(`a cluster refuses what it cannot use before anything listens: ${JSON.stringify(env)}`, async (t) => {
    const program = await run(t, env);
    assert.deepEqual(await program.waitForExit(), { code: 1, signal: null });
    assert.match(program.stderr, /FORKTRACE_ENV_INVALID/);
    assert.match(program.stderr, message);
    assert.doesNotMatch(program.output, /listening/);
  });
}
