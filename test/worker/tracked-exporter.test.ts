import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { TrackedExporter } from '#src/worker/tracked-exporter.js';

type ExportCallback = Parameters<SpanExporter['export']>[1];

const spans = [{}, {}] as ReadableSpan[];

test('a flush waits for the batch in flight, and an exporter that answers twice counts once', async () => {
  const callbacks: ExportCallback[] = [];
  const exporter = new TrackedExporter({
    export: (_spans, callback) => void callbacks.push(callback),
    shutdown: async () => {},
  });
  await exporter.forceFlush();
  let results = 0;
  for (let batch = 0; batch < 2; batch++) exporter.export(spans, () => results++);
  let isFlushed = false;
  const flush = exporter.forceFlush().then(() => {
    isFlushed = true;
  });
  callbacks[0]!({ code: 0 });
  callbacks[0]!({ code: 0 });
  await Promise.resolve();
  assert.equal(isFlushed, false, 'the other batch is in flight');
  callbacks[1]!({ code: 0 });
  await flush;
  assert.deepEqual([exporter.exported, results], [4, 2]);
});

test('an exporter that throws, or fails without a reason, has its answer, and the loss is counted', async (t) => {
  const said: string[] = [];
  t.mock.method(process, 'emitWarning', (warning: Error | string) => void said.push(String(warning)));
  const failures: ((callback: ExportCallback) => void)[] = [
    (callback) => callback({ code: 1 }),
    () => {
      throw new Error('no connection');
    },
    () => {
      throw 'text';
    },
  ];
  const exporter = new TrackedExporter({
    export: (_spans, callback) => failures.shift()!(callback),
    shutdown: async () => {},
  });
  const results: (string | undefined)[] = [];
  for (let batch = 0; batch < 3; batch++) exporter.export(spans, ({ error }) => results.push(error?.message));
  await exporter.shutdown();
  assert.deepEqual(results, [undefined, 'no connection', 'text']);
  assert.equal(exporter.exported, 0);
  assert.match(said.join('\n'), /could not be exported/);
});
