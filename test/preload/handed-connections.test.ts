import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { request } from '../http/traced-server.js';
import { frameworksRequire } from '../process/frameworks.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';

async function start(t: TestContext, program: string, env: Record<string, string> = {}) {
  const endpoint = await OtlpEndpoint.start(t);
  const running = runProgram(t, fixture(program), {
    execArgv: ['--import', import.meta.resolve('forktrace/register')],
    env: {
      OTEL_SERVICE_NAME: 'handed',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_EXPORT: 'otlp-grpc',
      FORKTRACE_PIPELINE: 'batch',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...env,
    },
  });
  const port = Number((await running.waitForOutput(/listening on (\d+)/, 120_000))[1]);
  const paths = async (count: number) => {
    const spans = () => endpoint.received().filter(({ kind }) => kind === OtlpSpanKind.SERVER);
    await waitFor(
      () => spans().length >= count,
      () => `${count} spans; output: ${running.output}`,
    );
    return spans().map(({ attributes }) => attributes['url.path']);
  };
  return { port, paths };
}

test('a server that is handed its connections is traced from the first request on', async (t) => {
  const { port, paths } = await start(t, 'handed-connections');
  assert.equal((await request(port, '/one')).body, '/one');
  await request(port, '/two');
  assert.deepEqual(await paths(2), ['/one', '/two']);
});

test('a server whose first request is an upgrade on a connection that it was handed is traced', async (t) => {
  const { port, paths } = await start(t, 'handed-connections');
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /upgraded HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await once(socket.resume(), 'close');
  assert.deepEqual(await paths(1), ['/upgraded']);
});

test('a server that is handed requests is traced', async (t) => {
  const { paths } = await start(t, 'handed-connections', { HOW: 'request' });
  assert.deepEqual(await paths(1), ['/handed']);
});

test("workers of Socket.IO's sticky cluster, which never listen, are traced", async (t) => {
  await frameworksRequire();
  const { port, paths } = await start(t, 'sticky-socketio');
  for (let i = 0; i < 4; i++) assert.match((await request(port, `/${i}`)).body, /^worker/);
  const handshake = await request(port, '/socket.io/?EIO=4&transport=polling');
  assert.equal(handshake.status, 200);
  const seen = await paths(5);
  assert.deepEqual([...seen].sort(), ['/0', '/1', '/2', '/3', '/socket.io/']);
});
