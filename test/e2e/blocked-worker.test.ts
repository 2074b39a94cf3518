import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TracingConfig } from 'forktrace';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';

async function stuck(t: TestContext, config: TracingConfig = {}) {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(
    t,
    {
      workers: 1,
      pipeline: 'journal',
      export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
      supervise: { heartbeatTimeoutMs: 4000, backoffMinMs: 20 },
      ...config,
    },
    { fixture: 'stuck-cluster' },
  );
  return { endpoint, cluster };
}

/** A request that waits, and then the one that blocks; resolves when both have been killed. */
async function killedIn(way: string, { endpoint, cluster }: Awaited<ReturnType<typeof stuck>>) {
  const pid = await cluster.pidOf(0);
  const victim = cluster.get('/patient').catch(() => undefined);
  await until('the victim is in flight', () => cluster.lines.some(({ arrived }) => arrived === 'patient'));
  const culprit = cluster.get(`/${way}`).catch(() => undefined);
  await Promise.all([victim, culprit]);
  const spans = await endpoint.waitForSpans((all) =>
    all.some(({ name, attributes }) => name === 'worker.exit' && attributes['cluster.worker.pid'] === pid),
  );
  const named = (name: string) => spans.find((span) => span.name === name);
  return { culprit: named(`GET /${way}`)!, victim: named('GET /patient')!, exit: named('worker.exit')! };
}

const role = (span: ReceivedSpan) => span.attributes['forktrace.exit.role'];

for (const [way, innermost, frame] of [
  ['loop', 'renderTemplate', /at Object\.loop|at loop/],
  ['regex', 'regex', /at RegExp\.test/],
  ['wait', 'wait', /at Atomics\.wait/],
] as const) {
  test(`killed in ${way}: the culprit has the stack and the line, the victim a link to it`, async (t) => {
    const running = await stuck(t);
    const { culprit, victim, exit } = await killedIn(way, running);
    assert.equal(role(culprit), 'culprit');
    assert.equal(role(victim), 'victim');
    assert.deepEqual(
      victim.links.map(({ traceId, spanId }) => ({ traceId, spanId })),
      [{ traceId: culprit.traceId, spanId: culprit.spanId }],
    );
    for (const { attributes } of [culprit, exit]) {
      assert.match(String(attributes['code.stacktrace']), frame);
      assert.match(String(attributes['code.file.path']), /^\/.*stuck-cluster\.js$/);
      assert.match(String(attributes['code.function.name']), new RegExp(innermost));
      assert.ok(Number(attributes['code.line.number']) > 0);
      assert.equal(attributes['forktrace.block.state'], 'runs JavaScript');
    }
    assert.equal(victim.attributes['code.stacktrace'], undefined);
    assert.equal(exit.attributes['forktrace.exit.cause'], 'event_loop_blocked');
    if (way === 'loop') assert.equal(culprit.attributes['forktrace.block.span.name'], 'render');
    assert.match(running.cluster.output, frame, 'the operator sees the stack');
    assert.doesNotMatch(running.cluster.output, /Debugger|For help, see/);
  });
}

test('killed in execSync: no stack, but what the worker waits for; nobody is accused', async (t) => {
  const running = await stuck(t);
  const { culprit, victim, exit } = await killedIn('exec', running);
  assert.equal(role(culprit), undefined);
  assert.equal(role(victim), undefined);
  assert.match(String(exit.attributes['forktrace.block.state']), /^waits, and has a child process: .*sleep 600/);
});

test('killed in a timer of a request that has been answered: all that were in flight are victims of it', async (t) => {
  const running = await stuck(t);
  const { culprit: answered, victim, exit } = await killedIn('timer', running);
  assert.equal(answered.attributes['forktrace.interrupted'], undefined);
  assert.equal(role(victim), 'victim');
  assert.deepEqual(
    victim.links.map(({ spanId }) => spanId),
    [answered.spanId],
  );
  assert.match(String(exit.attributes['code.function.name']), /sweepCache/);
});

test('a block that ends by itself is a span below the request, with the stack; the worker lives', async (t) => {
  const { cluster, endpoint } = await stuck(t, { supervise: { heartbeatTimeoutMs: 60_000 } });
  const pid = await cluster.pidOf(0);
  await cluster.get('/loop?ms=9000');
  const spans = await endpoint.waitForSpans((all) => all.some(({ name }) => name === 'event loop blocked'));
  const blocked = spans.find(({ name }) => name === 'event loop blocked')!;
  const render = spans.find(({ name }) => name === 'render')!;
  assert.equal(blocked.traceId, render.traceId);
  assert.equal(blocked.parentSpanId, render.spanId);
  assert.match(String(blocked.attributes['code.function.name']), /renderTemplate/);
  const ms = Number(blocked.end - blocked.start) / 1e6;
  assert.ok(ms > 2500 && ms < 30_000, `${ms} ms`);
  assert.equal(await cluster.pidOf(0), pid);
  assert.equal((await cluster.stats()).workers[0]!.debugged, false, 'the inspector was ours, and is closed');
  await cluster.get('/loop?ms=9000');
  const isBlock = ({ name }: ReceivedSpan) => name === 'event loop blocked';
  const again = await endpoint.waitForSpans((all) => all.filter(isBlock).length === 2);
  assert.match(
    String(again.filter(isBlock)[1]!.attributes['code.function.name']),
    /renderTemplate/,
    'as often as need be',
  );
});

test('forensics.peek: false: killed as before, and no stack', async (t) => {
  const running = await stuck(t, { forensics: { peek: false } });
  const { culprit, exit } = await killedIn('loop', running);
  assert.equal(culprit.attributes['code.stacktrace'], undefined);
  assert.equal(exit.attributes['forktrace.block.state'], undefined);
});
