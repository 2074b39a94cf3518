import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { startViewer } from '#src/viewer/start.js';
import { oneWorker } from '../coordinator/one-worker.js';
import { until } from '../coordinator/running-cluster.js';
import { tempDir } from '../process/temp-dir.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));

/** `forktrace mcp`, and the official client. */
async function connected(t: TestContext, runDir: string, ...args: string[]) {
  const client = new Client({ name: 'test', version: '1' });
  t.after(() => client.close());
  const env = { PATH: process.env.PATH!, FORKTRACE_RUN_DIR: runDir };
  await client.connect(new StdioClientTransport({ command: process.execPath, args: [cli, 'mcp', ...args], env }));
  return {
    client,
    ask: async (name: string, given: Record<string, unknown> = {}) => {
      const { content, isError } = await client.callTool({ name, arguments: given });
      const [{ text }] = content as [{ text: string }];
      return { text, isError: isError === true };
    },
  };
}

test('a coding agent finds a death, its trace, the failing requests of a route, and what runs now', async (t) => {
  const dir = await tempDir(t);
  const viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
  t.after(() => viewer.close());
  const cluster = await oneWorker(t, dir, viewer.otlpGrpcUrl, { supervise: { heartbeatTimeoutMs: 60_000 } });
  const { client, ask } = await connected(t, cluster.runDir, '--viewer', viewer.otlpHttpUrl, '--journals', dir);
  const { tools } = await client.listTools();
  assert.deepEqual(
    tools.map(({ name }) => name),
    ['list_deaths', 'get_death', 'find_traces', 'get_trace', 'get_stacks'],
  );
  for (const { description, annotations } of tools) {
    assert.ok(description!.length > 80);
    assert.equal(annotations?.readOnlyHint, true);
  }
  assert.match((await ask('list_deaths')).text, /^No deaths are remembered below/);

  const pid = await cluster.pidOf(0);
  await cluster.get('/home');
  await cluster.get('/exit').catch(() => undefined);
  await until('the death is remembered', async () => (await ask('list_deaths')).text.includes(' exit '));
  const [, id] = /^shop {2}([0-9a-f]{12}) {2}\S+ {2}slot 0 \(pid \d+\) {2}exit {2}1 in flight$/m.exec(
    (await ask('list_deaths', { service: 'shop' })).text,
  )!;
  const death = (await ask('get_death', { id })).text;
  assert.match(death, new RegExp(`shop: worker in slot 0, pid ${pid} died at`));
  assert.match(death, /it called process\.exit/);
  assert.match(death, /stuck-cluster\.js:\d+/);
  const [, traceId] = /culprit {2}GET \/exit .* ([0-9a-f]{32})/.exec(death)!;

  await until('the viewer has it', () => viewer.store.traces.has(traceId!));
  assert.match((await ask('find_traces')).text, /shop: GET \/home {2}1 requests, 0 errors/);
  const failing = (await ask('find_traces', { route: 'GET /exit' })).text;
  assert.match(failing, new RegExp(`failing: trace ${traceId} .* interrupted`));
  const trace = (await ask('get_trace', { id: traceId })).text;
  const [, spanId] = /GET \/exit .* interrupted.* shop slot 0 {2}span ([0-9a-f]{16})/.exec(trace)!;
  assert.match((await ask('get_trace', { id: traceId, span: spanId })).text, /forktrace\.exit\.role/);

  await until('the next worker may be looked into', async () => !(await ask('get_stacks')).text.includes('may not'));
  void cluster.get('/loop').catch(() => {});
  await until('it is blocked', () => cluster.lines.some(({ arrived }) => arrived === 'loop'));
  assert.match((await ask('get_stacks', { target: 0 })).text, /runs JavaScript for render [\s\S]*renderTemplate/);
});

test('what is asked wrongly, or is not there, is an error that says what to do; the server goes on', async (t) => {
  const { ask } = await connected(
    t,
    await tempDir(t),
    '--viewer',
    'http://127.0.0.1:9',
    '--journals',
    await tempDir(t),
  );
  for (const [name, given, expected] of [
    ['find_traces', {}, /^No viewer answers at http:\/\/127\.0\.0\.1:9: /],
    ['get_trace', {}, /get_trace needs id/],
    ['get_trace', { id: '../state' }, /id is to be a text that matches .*, but is "..\/state"/],
    ['get_death', { id: 7 }, /id is to be a text, but is 7/],
    ['list_deaths', { limit: 1000 }, /limit is to be a whole number from 1 to 100/],
    ['list_deaths', { toString: 1 }, /takes no toString; it takes service, limit/],
    ['get_death', {}, /no such death is remembered/],
    ['get_stacks', {}, /none runs/],
    ['nothing', {}, /there is no tool nothing/],
  ] as const) {
    const { text, isError } = await ask(name, given);
    assert.ok(isError, name);
    assert.match(text, expected);
  }
});
