import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseCoordinatorMessage, parseWorkerMessage } from '#src/process/worker-messages.js';
import { parseFromShipper, parseToShipper } from '#src/shipper/shipper-messages.js';
import { parseFromViewer } from '#src/viewer/viewer-messages.js';

const parsers = { parseWorkerMessage, parseCoordinatorMessage, parseFromShipper, parseToShipper, parseFromViewer };
const stats = {
  requests: 1,
  inFlight: 0,
  failed: 0,
  p99Ms: 0,
  cpu: 0,
  utilization: 0.5,
  rss: 1e6,
  spansJournaled: 3,
  spansLost: 0,
};
const logRecords = { read: 0, shipped: 0, refused: 0, dropped: 0, lagBytes: 0 };
const counts = { read: 1, shipped: 1, refused: 0, dropped: 0, recovered: 0, interrupted: 0 };
const shipped = { ...counts, lagBytes: 0, lagMs: 0, logRecords };

/** Every kind of message, as it crosses the boundary. */
const messages: [keyof typeof parsers, Record<string, unknown>][] = [
  ['parseWorkerMessage', { forktrace: 'ready', address: 'http://127.0.0.1:3000' }],
  ['parseWorkerMessage', { forktrace: 'ready' }],
  ['parseWorkerMessage', { forktrace: 'failed', message: 'no', stack: 'Error: no' }],
  ['parseWorkerMessage', { forktrace: 'heartbeat', stats, peekable: false }],
  ['parseWorkerMessage', { forktrace: 'stopping', reason: 'signal' }],
  ['parseCoordinatorMessage', { forktrace: 'stop', reason: 'reload', deadlineMs: 10 }],
  ['parseFromShipper', { type: 'ready' }],
  ['parseFromShipper', { type: 'busy' }],
  ['parseFromShipper', { type: 'recovered', pid: 1, spansRecovered: 2, requestsInterrupted: 3 }],
  ['parseFromShipper', { type: 'stats', stats: shipped }],
  ['parseToShipper', { type: 'writer-exit', pid: 1, code: null, signal: 'SIGKILL' }],
  ['parseToShipper', { type: 'stop', deadlineMs: 1 }],
  ['parseFromViewer', { type: 'listening', url: 'u', otlpGrpcUrl: 'g', otlpHttpUrl: 'h' }],
  ['parseFromViewer', { type: 'failed', message: 'no' }],
];

for (const [parser, message] of messages) {
  const kind = message.forktrace ?? message.type;
  test(`${parser}: '${kind}' is taken, with fields that a newer version adds`, () => {
    assert.deepEqual(parsers[parser](message), message);
    const newer = { ...message, added: 1 };
    assert.deepEqual(parsers[parser](newer), newer);
  });

  test(`${parser}: '${kind}' with a field of another type is ignored`, () => {
    for (const field of Object.keys(message)) {
      const wrong = { ...message, [field]: { not: 'that' } };
      assert.equal(parsers[parser](wrong), undefined, field);
    }
  });
}

test('a kind of another version and anything else is ignored, and nothing throws', () => {
  for (const parse of Object.values(parsers)) {
    assert.equal(parse({ forktrace: 'hibernate', type: 'hibernate' }), undefined);
    assert.equal(parse({ forktrace: 'constructor', type: '__proto__' }), undefined);
    fc.assert(
      fc.property(fc.anything(), (value) => {
        assert.equal(parse(value), undefined);
      }),
    );
  }
});
