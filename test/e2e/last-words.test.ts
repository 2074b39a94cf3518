import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TracingConfig } from 'forktrace';
import { RunningCluster } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';

async function lastWords(t: TestContext, path: string, config: TracingConfig = {}, env: NodeJS.ProcessEnv = {}) {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(
    t,
    {
      workers: 1,
      pipeline: 'journal',
      export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
      supervise: { backoffMinMs: 20 },
      ...config,
    },
    { fixture: 'stderr-worker', env },
  );
  await cluster.get(path).catch(() => {});
  const isExit = ({ name }: { name: string }) => name === 'worker.exit';
  const spans = await endpoint.waitForSpans((all) => all.some(isExit));
  const [event, ...others] = spans.find(isExit)!.events;
  assert.deepEqual(others, []);
  if (event !== undefined) assert.equal(event.name, 'forktrace.last_words');
  return event?.attributes['forktrace.last_words.text'] as string | undefined;
}

test('an uncaught error is on the death, with its stack', async (t) => {
  assert.match((await lastWords(t, '/throw'))!, /Error: thrown by the app\n {4}at .*stderr-worker/);
});

test('of much, the last whole lines', async (t) => {
  const said = (await lastWords(t, '/exit?lines=3000'))!;
  assert.ok(said.length > 15_000 && said.length <= 16_384, String(said.length));
  assert.match(said, /^line \d+ x+\n/);
  assert.match(said, /line 2999 x+\n$/);
});

test('heap out of memory: what V8 says of it', async (t) => {
  const said = await lastWords(t, '/heap', {}, { NODE_OPTIONS: '--max-old-space-size=40' });
  assert.match(said!, /Last few GCs[\s\S]*FATAL ERROR: .*JavaScript heap out of memory/);
});

test('off by an option', async (t) => {
  assert.equal(await lastWords(t, '/throw', { forensics: { lastWords: false } }), undefined);
});

test('what a function makes of it; one that throws writes nothing', async (t) => {
  assert.equal(await lastWords(t, '/throw', {}, { REDACT: 'mask' }), 'masked');
  assert.equal(await lastWords(t, '/throw', {}, { REDACT: 'throw' }), undefined);
});
