import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { inspectJournal } from '#src/cli/inspect.js';
import { chunkLengthAt } from '#src/journal/chunk.js';
import { Encoder, encodeResource, encodeScopeFields } from '#src/journal/encoder.js';
import { openJournal } from '#src/journal/journal.js';
import { encodeInterrupted } from '#src/shipper/interrupted-span.js';
import { acceptedBy, retryDelayOf } from '#src/shipper/otlp-response.js';
import { RequestBuilder } from '#src/shipper/request-builder.js';
import { type ScannedSpan, scanSpans } from '#src/viewer/store/scan-spans.js';
import { TraceStore } from '#src/viewer/store/trace-store.js';
import { TraceLists } from '#src/viewer/views/trace-list.js';
import { isSound } from '#src/wire/check.js';
import { decode } from '#src/wire/decode.js';
import { encode } from '#src/wire/encode.js';
import { memoryOf } from '#src/wire/memory.js';
import { type Message, tags } from '#src/wire/message.js';
import {
  LogsRequest,
  MetricsRequest,
  Resource,
  ResourceSpans,
  RetryInfo,
  RpcStatus,
  ScopeSpans,
  Span,
  TracesRequest,
  TracesResponse,
} from '#src/wire/otlp.js';
import type { OtlpSpan } from '#src/wire/otlp-json.js';
import { ProtobufWriter } from '#src/wire/protobuf-writer.js';
import { retryInfoStatus } from '../endpoint/status-details.js';
import { tempDir } from '../process/temp-dir.js';
import { keyValues, tracesRequest } from '../viewer/otlp-feed.js';
import { anyTraces } from './any-data.js';
import { repeatable, shuffled } from './shuffled.js';

const SEEDS = 200;

const request = tracesRequest(
  [
    {
      name: 'GET /orders/{id}',
      kind: 2,
      error: 'the worker was killed by SIGKILL',
      attributes: {
        'http.request.method': 'GET',
        'http.route': '/orders/{id}',
        'url.path': '/orders/7',
        'http.response.status_code': 503,
        'forktrace.interrupted': true,
      },
      events: [{ name: 'worker.exit', attributes: { code: 1 } }],
    },
    { name: 'query', attributes: { list: ['a', 'b'], double: 0.5 } },
  ],
  { 'service.name': 'shop', 'service.instance.id': 'one', 'cluster.worker.slot': 3, 'process.pid': 4242 },
);

/** A ScopeSpans message as in a journal's chunk. */
function oneSpan(): Buffer {
  const { scope, spans } = decode(request, TracesRequest).resourceSpans![0]!.scopeSpans![0]!;
  return encode({ scope: scope!, spans: spans!.slice(0, 1) }, ScopeSpans);
}

function scanned(bytes: Buffer): object[] {
  const found: object[] = [];
  scanSpans(bytes, (span, ...messages) => {
    const [message, resource, scope] = messages.map(({ bytes, from, to }) => bytes.subarray(from, to));
    found.push({
      ...span,
      message: decode(message!, Span),
      resource: decode(resource!, Resource),
      scope: scope!.length > 0,
    });
  });
  return found;
}

/** Does the same with the request in orders and forms that other encoders may choose. */
function inOtherOrders(bytes: Uint8Array, message: Message, run: (bytes: Buffer, seed: number) => void): void {
  for (let seed = 0; seed < SEEDS; seed++) run(shuffled(bytes, message, repeatable(seed)), seed);
}

describe('field order means nothing', () => {
  it('to the scan of the viewer’s lists', () => {
    const expected = scanned(request);
    assert.equal((expected[0] as ScannedSpan).method, 'GET');
    assert.equal((expected[0] as ScannedSpan).interrupted, true);
    inOtherOrders(request, TracesRequest, (bytes, seed) => assert.deepEqual(scanned(bytes), expected, `seed ${seed}`));
  });

  it('to the viewer’s store, lists and resources', () => {
    const listed = (bytes: Buffer) => {
      const store = new TraceStore();
      store.ingest(bytes);
      return new TraceLists(store).view(new URLSearchParams('plot=1'));
    };
    const expected = listed(request);
    assert.deepEqual(
      expected.rows.map(({ name, slots, outcome, httpStatus }) => [name, slots, outcome, httpStatus]).sort(),
      [
        ['GET /orders/{id}', [3], 'interrupted', 503],
        ['query', [3], 'ok', 0],
      ],
    );
    inOtherOrders(request, TracesRequest, (bytes, seed) => assert.deepEqual(listed(bytes), expected, `seed ${seed}`));
  });

  it('to the scan, which finds what a full decode finds', () => {
    fc.assert(
      fc.property(anyTraces, fc.nat(), (original, seed) => {
        const spans = original.resourceSpans!.flatMap((r) => r.scopeSpans!.flatMap((s) => s.spans!));
        const found: unknown[] = [];
        scanSpans(shuffled(encode(original, TracesRequest), TracesRequest, repeatable(seed)), (one) => {
          found.push([one.traceId, one.spanId, one.name, one.kind, one.error, one.eventCount, one.method]);
        });
        assert.deepEqual(
          found,
          spans.map((one) => [
            one.traceId,
            one.spanId,
            one.name,
            one.kind,
            one.status!.code === 2,
            one.events!.length,
            one.attributes!.findLast(({ key }) => key === 'http.request.method')?.value?.stringValue ?? '',
          ]),
        );
      }),
      { numRuns: 200 },
    );
  });

  it('to the shipper’s requests and its check of what dead writers left', () => {
    const resource = encodeResource({ 'service.name': 'shop' });
    const content = oneSpan();
    const built = (chunk: Uint8Array, verify: boolean) => {
      const builder = new RequestBuilder(1024);
      builder.beginWriter({ resource });
      const writer = new ProtobufWriter();
      for (let n = 0; n < 2; n++) writer.bytesField(tags(ResourceSpans).scopeSpans, chunk);
      assert.deepEqual(builder.add(writer.copy(), verify), { spans: 2, malformed: 0 });
      assert.equal(builder.endOf(1), writer.at);
      return decode(builder.encode(), TracesRequest);
    };
    const expected = built(content, true);
    assert.equal(expected.resourceSpans![0]!.scopeSpans!.length, 1);
    inOtherOrders(content, ScopeSpans, (bytes, seed) => {
      assert.ok(isSound(bytes, ScopeSpans), `seed ${seed}`);
      assert.deepEqual(built(bytes, seed % 2 === 0), expected, `seed ${seed}`);
    });
  });

  it('to the recovery of interrupted spans', () => {
    const start: OtlpSpan = {
      traceId: '1'.repeat(32),
      spanId: '2'.repeat(16),
      name: 'GET /',
      startTimeUnixNano: '1700000000000000001',
      attributes: keyValues({ 'http.request.method': 'GET' }),
    };
    const completed = (fields: Uint8Array) => {
      const encoder = new Encoder();
      // Dead before the span began: it ends as it begins.
      const entry = { index: 0, started: 0, scope: encodeScopeFields({ name: 'a' }).bytes, fields, mark: undefined };
      encodeInterrupted(encoder, entry, { atMs: 5, signal: 'SIGKILL' });
      return decode(encoder.copy(), ResourceSpans);
    };
    const fields = encode(start, Span);
    const expected = completed(fields);
    assert.equal(expected.scopeSpans![0]!.spans![0]!.endTimeUnixNano, start.startTimeUnixNano);
    inOtherOrders(fields, Span, (bytes, seed) => assert.deepEqual(completed(bytes), expected, `seed ${seed}`));
  });

  it('to what is understood of an endpoint’s answers', () => {
    const partial = encode({ partialSuccess: { rejectedSpans: '7', errorMessage: 'too old' } }, TracesResponse);
    inOtherOrders(partial, TracesResponse, (bytes, seed) =>
      assert.deepEqual(acceptedBy(bytes), { outcome: 'accepted', rejected: 7, message: 'too old' }, `seed ${seed}`),
    );
    inOtherOrders(retryInfoStatus(14, 'later', 1500), RpcStatus, (bytes, seed) =>
      assert.equal(retryDelayOf(bytes), 1500, `seed ${seed}`),
    );
    const delay = shuffled(encode({ retryDelay: { seconds: '3', nanos: 5e8 } }, RetryInfo), RetryInfo, repeatable(1));
    const status = {
      details: [{ value: delay.toString('base64'), typeUrl: 'type.googleapis.com/google.rpc.RetryInfo' }],
    };
    assert.equal(retryDelayOf(encode(status, RpcStatus)), 3500);
  });
});

test('field order means nothing to whoever reads a journal', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const span = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), name: 'GET /', attributes: keyValues({ n: 1 }) };
  const random = repeatable(1);
  const resource = shuffled(encodeResource({ 'service.name': 'shop' }), Resource, random);
  const scope = () => memoryOf(shuffled(encodeScopeFields({ name: 'a', version: '1' }).bytes, ScopeSpans, random));
  const fields = () => shuffled(encode(span, Span), Span, random);
  const journal = openJournal({ dir, resource, mode: 'write' });
  for (let n = 0; n < 100; n++) {
    for (const bytes of [fields()]) journal.append(scope(), bytes, 0, bytes.length);
    for (const bytes of [fields()]) journal.begin(scope(), bytes, 0, bytes.length);
  }
  journal.close();
  const found = [...inspectJournal(dir)];
  assert.equal(found.length, 200);
  for (const one of found) {
    assert.ok('span' in one);
    assert.deepEqual(
      [one.span, one.scope, one.resource.attributes],
      [span, { name: 'a', version: '1' }, keyValues({ 'service.name': 'shop' })],
    );
  }
});

describe('bytes that are malformed', () => {
  const mutated = (sound: Buffer) =>
    fc.oneof(
      fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }).map((changes) => {
        const bytes = Buffer.from(sound);
        for (const [at, byte] of changes) bytes[at] = byte;
        return bytes;
      }),
      fc.nat(sound.length).map((length) => sound.subarray(0, length)),
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    );
  /** @returns whether `read` took them; fails if it does anything but that or say that they are malformed */
  const takes = (read: () => unknown): boolean => {
    try {
      read();
      return true;
    } catch (error) {
      assert.equal((error as Error).name, 'MalformedProtobuf', String((error as Error).stack));
      return false;
    }
  };

  it('are said to be so by every decoder and check, which agree', () => {
    fc.assert(
      fc.property(mutated(request), (bytes) => {
        for (const message of [TracesRequest, LogsRequest, MetricsRequest, RpcStatus] as Message[]) {
          const sound = isSound(bytes, message);
          // Only text that is not UTF-8 is taken by the one and not by the other.
          if (sound) assert.ok(takes(() => decode(bytes, message)));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('are not taken by the viewer: what it takes can be decoded when somebody looks at it', () => {
    fc.assert(
      fc.property(mutated(request), (bytes) => {
        const spans: Buffer[] = [];
        const scanned = takes(() =>
          scanSpans(bytes, (_, { bytes: from, ...at }) => spans.push(from.subarray(at.from, at.to))),
        );
        const store = new TraceStore();
        assert.equal(
          takes(() => store.ingest(bytes)),
          scanned,
        );
        if (!scanned) assert.equal(store.spanCount, 0);
        else for (const span of spans) decode(span, Span);
      }),
      { numRuns: 2000 },
    );
  });

  it('are left out by the shipper, with the sound chunks around them kept', () => {
    const sound = oneSpan();
    const chunk = (content: Uint8Array) => {
      const writer = new ProtobufWriter();
      writer.bytesField(tags(ResourceSpans).scopeSpans, content);
      return writer.copy();
    };
    fc.assert(
      fc.property(mutated(sound), (bytes) => {
        if (bytes.length === 0) return;
        const chunks = Buffer.concat([chunk(sound), chunk(bytes), chunk(sound)]);
        for (let at = 0, n = 0; n < 3; n++) {
          const length = chunkLengthAt(chunks, at, chunks.length);
          assert.ok(length > 0 && at + length <= chunks.length);
          at += length;
        }
        const builder = new RequestBuilder(64);
        builder.beginWriter({ resource: encodeResource({ a: 1 }) });
        const { spans, malformed } = builder.add(chunks, true);
        assert.equal(spans + malformed, 3);
        assert.ok(spans >= 2);
        const encoded = builder.encode();
        assert.ok(isSound(encoded, TracesRequest));
        const decoded = decode(encoded, TracesRequest).resourceSpans!;
        assert.equal(decoded.flatMap((r) => r.scopeSpans!.flatMap((s) => s.spans!)).length, spans);
      }),
      { numRuns: 2000 },
    );
  });

  it('in an answer leave what the status says', () => {
    fc.assert(
      fc.property(mutated(retryInfoStatus(14, 'later', 1500)), (bytes) => {
        const delay = retryDelayOf(bytes);
        assert.ok(delay === undefined || !Number.isNaN(delay));
        assert.equal(acceptedBy(bytes).outcome, 'accepted');
      }),
      { numRuns: 1000 },
    );
  });

  it('in an in-flight entry make no sound chunk, and no crash', () => {
    const fields = encode({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), startTimeUnixNano: '17' }, Span);
    fc.assert(
      fc.property(mutated(fields), mutated(Buffer.from(encodeScopeFields({ name: 'a' }).bytes)), (span, scope) => {
        const encoder = new Encoder();
        encodeInterrupted(
          encoder,
          { index: 0, started: 0, scope, fields: span, mark: undefined },
          { atMs: 5, code: 1 },
        );
        if (isSound(encoder.copy(), ResourceSpans)) decode(encoder.copy(), ResourceSpans);
      }),
      { numRuns: 1000 },
    );
  });
});
