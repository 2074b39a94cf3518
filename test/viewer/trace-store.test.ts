import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startViewer } from '#src/viewer/start.js';
import { TraceStore } from '#src/viewer/store/trace-store.js';
import { newSpanId, newTraceId, send, tracesRequest } from './otlp-feed.js';

describe('the trace store', () => {
  it('drops the oldest traces at each of its bounds, and counts them', () => {
    for (const limits of [{ maxTraces: 10 }, { maxSpans: 20 }, { maxBytes: 20_000 }]) {
      const store = new TraceStore(limits);
      const ids = Array.from({ length: 100 }, newTraceId);
      for (const traceId of ids) store.ingest(tracesRequest([{ traceId }, { traceId }]));
      const kept = ids.filter((id) => store.traces.has(id));
      assert.ok(kept.length >= 5 && kept.length <= 10, `${kept.length} kept`);
      assert.deepEqual(kept, ids.slice(-kept.length));
      assert.equal(store.spanCount, kept.length * 2);
      assert.equal(store.counters.evictedTraces, 100 - kept.length);
      assert.equal(store.counters.evictedSpans, 200 - kept.length * 2);
      assert.ok(store.byteCount <= store.limits.maxBytes);
    }
  });

  it('keeps of a trace that stays longer no bytes of those that arrived with it', () => {
    const store = new TraceStore();
    const failed = newTraceId();
    const spans = Array.from({ length: 100 }, (_, n) => ({
      traceId: n === 50 ? failed : newTraceId(),
      error: n === 50,
    }));
    store.ingest(tracesRequest(spans));
    store.ingest(tracesRequest([{ traceId: failed, name: 'late' }]));
    for (const { bytes } of store.traces.get(failed)!.spans.values())
      assert.equal(bytes.buffer.byteLength, bytes.length);
  });

  it('bounds the spans of one trace', () => {
    const store = new TraceStore({ maxSpansPerTrace: 5 });
    const traceId = newTraceId();
    store.ingest(tracesRequest(Array.from({ length: 8 }, () => ({ traceId }))));
    assert.equal(store.traces.get(traceId)?.spans.size, 5);
    assert.equal(store.counters.overflow, 3);
  });

  it('puts together a trace whose spans arrive late and out of order', () => {
    const store = new TraceStore();
    const traceId = newTraceId();
    const [root, child, leaf] = [newSpanId(), newSpanId(), newSpanId()];
    store.ingest(tracesRequest([{ traceId, spanId: leaf, parentSpanId: child, name: 'leaf', startMs: 1020 }]));
    assert.equal(store.traces.get(traceId)?.root.name, 'leaf');
    store.ingest(tracesRequest([{ traceId, spanId: child, parentSpanId: root, name: 'child', startMs: 1010 }]));
    assert.equal(store.traces.get(traceId)?.root.name, 'child');
    store.ingest(tracesRequest([{ traceId, spanId: root, name: 'root', startMs: 1000, durationMs: 50 }]));
    const trace = store.traces.get(traceId)!;
    assert.equal(trace.root.name, 'root');
    assert.equal(trace.durationMs, 50);
  });

  it('takes a span once, and the ended one over the interrupted one', () => {
    const store = new TraceStore();
    const [traceId, spanId] = [newTraceId(), newSpanId()];
    const interrupted = tracesRequest([
      { traceId, spanId, error: true, attributes: { 'forktrace.interrupted': true } },
    ]);
    const ended = tracesRequest([{ traceId, spanId, name: 'ended' }]);
    store.ingest(interrupted);
    assert.equal(store.traces.get(traceId)?.interrupted, 1);
    for (const request of [ended, ended, interrupted]) store.ingest(request);
    const trace = store.traces.get(traceId)!;
    assert.deepEqual([trace.spans.size, trace.interrupted, trace.errors, trace.root.name], [1, 0, 0, 'ended']);
    assert.equal(store.counters.duplicates, 3);
    assert.equal(store.spanCount, 1);
  });

  it("shows a trace whose spans are each other's parents", () => {
    const store = new TraceStore();
    const traceId = newTraceId();
    const [a, b] = [newSpanId(), newSpanId()];
    store.ingest(
      tracesRequest([
        { traceId, spanId: a, parentSpanId: b, name: 'a' },
        { traceId, spanId: b, parentSpanId: a, name: 'b' },
      ]),
    );
    assert.equal(store.traces.get(traceId)?.root.name, 'a');
  });
});

describe("the viewer's file", () => {
  const inDirectory = async (run: (path: string) => Promise<void>) => {
    const directory = mkdtempSync(join(tmpdir(), 'forktrace-viewer-'));
    try {
      const file = join(directory, 'traces');
      // As Node.js before 22.13 makes it, and any goes on with it.
      writeFileSync(file, 'FTVIEW1\n');
      await run(file);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };
  const options = (file: string) => ({ httpPort: 0, grpcPort: 0, file, limits: { maxBytes: 100_000 } });

  it('keeps traces over a restart, and over an end that was cut off', () =>
    inDirectory(async (file) => {
      const traceId = newTraceId();
      const first = await startViewer(options(file));
      await send(first.otlpHttpUrl, [{ traceId, name: 'kept', attributes: { 'http.route': '/kept' } }]);
      await first.close();
      appendFileSync(file, Buffer.of(0xff, 0, 0, 0, 1, 2, 3));
      const later = newTraceId();
      const second = await startViewer(options(file));
      assert.equal(second.store.traces.get(traceId)?.root.route, '/kept');
      await send(second.otlpHttpUrl, [{ traceId: later }]);
      await second.close();
      const third = await startViewer(options(file));
      assert.deepEqual([...third.store.traces.keys()], [traceId, later]);
      await third.close();
    }));

  it("stays within twice the store's bound", () =>
    inDirectory(async (file) => {
      const viewer = await startViewer(options(file));
      let last = '';
      for (let n = 0; n < 40; n++) {
        last = newTraceId();
        await send(
          viewer.otlpHttpUrl,
          Array.from({ length: 100 }, () => ({ traceId: last, name: 'x'.repeat(100) })),
        );
      }
      await viewer.close();
      assert.ok(statSync(file).size <= 200_000 + 50_000, `${statSync(file).size} bytes`);
      const again = await startViewer(options(file));
      const kept = [...again.store.traces.keys()];
      await again.close();
      assert.ok(kept.includes(last));
    }));

  it('is not one that holds something else', () =>
    inDirectory(async (file) => {
      writeFileSync(file, 'my thesis');
      await assert.rejects(startViewer(options(file)), { code: 'FORKTRACE_VIEWER_FILE' });
    }));
});
