import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { context, propagation } from '@opentelemetry/api';
import { createPropagator } from '#src/worker/propagators.js';
import { listen, readUntil } from './traced-server.js';

// The behaviours that the test suite of w3c/trace-context asks for: its level 1, and what it adds at level 2.

const ID = '12345678901234567890123456789012';
const CALLER = '1234567890123456';
const PARENT = `00-${ID}-${CALLER}-01`;

type Headers = [name: string, value: string][];
interface Passed {
  /** The trace is the caller's. */
  continued: boolean;
  state: string | undefined;
}

/** What a handler passes on in an outgoing request, given these headers, in raw bytes. */
async function passedOn(t: TestContext, cases: Headers[]): Promise<Passed[]> {
  propagation.disable();
  propagation.setGlobalPropagator(await createPropagator(['tracecontext', 'baggage']));
  const passed: Passed[] = [];
  const { connect } = await listen(t, (_request, response) => {
    const outgoing: Record<string, string> = {};
    propagation.inject(context.active(), outgoing);
    const [, traceId, spanId, flags] = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(outgoing.traceparent!)!;
    assert.notEqual(spanId, CALLER);
    assert.equal(flags, '01');
    passed.push({ continued: traceId === ID, state: outgoing.tracestate || undefined });
    response.end('passed');
  });
  for (const headers of cases) {
    const socket = await connect();
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`, 'latin1');
    await readUntil(socket, 'passed');
  }
  return passed;
}

const parents: [string, boolean][] = [
  [PARENT, true],
  [`${PARENT}.`, false],
  [`${PARENT}-what-the-future-will-be-like`, false],
  [`cc-${ID}-${CALLER}-01`, true],
  [`cc-${ID}-${CALLER}-01-what-the-future-will-be-like`, true],
  [`cc-${ID}-${CALLER}-01.what-the-future-will-not-be-like`, false],
  [`ff-${ID}-${CALLER}-01`, false],
  ...['.0', '0.', '000', '0000', '0', ''].map((version): [string, boolean] => [`${version}-${ID}-${CALLER}-01`, false]),
  ...['0'.repeat(32), `.${ID.slice(1)}`, `${ID.slice(0, 31)}.`, `${ID}3`, ID.slice(1), ID.replace('1', 'A')].map(
    (id): [string, boolean] => [`00-${id}-${CALLER}-01`, false],
  ),
  ...['0'.repeat(16), `.${CALLER.slice(1)}`, `${CALLER.slice(0, 15)}.`, `${CALLER}7`, CALLER.slice(1)].map(
    (id): [string, boolean] => [`00-${ID}-${id}-01`, false],
  ),
  ...['.0', '0.', '001', '1', ''].map((flags): [string, boolean] => [`00-${ID}-${CALLER}-${flags}`, false]),
  [` ${PARENT}`, true],
  [`${PARENT} `, true],
  [`\t${PARENT}\t `, true],
];

test('traceparent: versions, ids and flags that are wrong start a new trace', async (t) => {
  const passed = await passedOn(
    t,
    parents.map(([value]) => [['traceparent', value]]),
  );
  assert.deepEqual(
    passed.map(({ continued }, i) => [parents[i]![0], continued]),
    parents,
  );
});

test('traceparent: its name in any case; missing or twice, a new trace', async (t) => {
  const other = `00-${ID.replace('1', '2')}-${CALLER}-01`;
  const passed = await passedOn(t, [
    ...['traceparent', 'TraceParent', 'TrAcEpArEnT', 'TRACEPARENT'].map((name): Headers => [[name, PARENT]]),
    [['trace-parent', PARENT]],
    [['trace.parent', PARENT]],
    [],
    [
      ['traceparent', PARENT],
      ['traceparent', other],
    ],
    [
      ['traceparent', PARENT],
      ['traceparent', PARENT],
    ],
    [['tracestate', 'foo=1']],
  ]);
  assert.deepEqual(
    passed.map(({ continued }) => continued),
    [true, true, true, true, false, false, false, false, false, false],
  );
  assert.equal(passed.at(-1)!.state, undefined);
});

const KEY = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/';
const range = (from: number, to: number) =>
  String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, i) => from + i));
const ALL = range(0x20, 0x2b) + range(0x2d, 0x3c) + range(0x3e, 0x7e);
const members = (count: number) => Array.from({ length: count }, (_, i) => `bar${i + 1}=${i + 1}`);

/** Values of one header, or of several; what is passed on. */
const states: [string | string[], string | undefined][] = [
  ['foo=1', 'foo=1'],
  ['', undefined],
  [['foo=1', ''], 'foo=1'],
  [['foo=1', 'bar=2', 'rojo=1', 'congo=2', 'baz=3'], 'foo=1,bar=2,rojo=1,congo=2,baz=3'],
  ['foo=1,foo=1', 'foo=1'],
  ['foo=1 \t , \t bar=2, \t baz=3', 'foo=1,bar=2,baz=3'],
  ['foo=1\t \t,\t \tbar=2,\t \tbaz=3', 'foo=1,bar=2,baz=3'],
  [' foo=1', 'foo=1'],
  ['\tfoo=1', 'foo=1'],
  ['foo=1 \t', 'foo=1'],
  ['foo=1,,bar=2,', 'foo=1,bar=2'],
  [`${KEY}=${ALL}`, `${KEY}=${ALL}`],
  [`${KEY}@a-z0-9_-*/=${ALL}`, `${KEY}@a-z0-9_-*/=${ALL}`],
  // Level 2 of the suite.
  ['foo =1', undefined],
  ['FOO=1', undefined],
  ['foo.bar=1', undefined],
  ['foo@=1,bar=2', undefined],
  ['@foo=1,bar=2', undefined],
  ['foo@@bar=1,bar=2', undefined],
  ['foo@bar@baz=1,bar=2', undefined],
  ['foo', undefined],
  ['=1', undefined],
  [members(32).join(','), members(32).join(',')],
  [[members(16).join(','), members(32).slice(16).join(',')], members(32).join(',')],
  [members(33).join(','), undefined],
  [`foo=1,${'z'.repeat(256)}=1`, `foo=1,${'z'.repeat(256)}=1`],
  [`foo=1,${'z'.repeat(257)}=1`, undefined],
  [`foo=1,${'t'.repeat(241)}@${'v'.repeat(14)}=1`, `foo=1,${'t'.repeat(241)}@${'v'.repeat(14)}=1`],
  [`foo=1,${'t'.repeat(242)}@v=1`, undefined],
  [`foo=1,t@${'v'.repeat(15)}=1`, undefined],
  ['foo=bar=baz', undefined],
  ['foo=,bar=3', undefined],
];

test('tracestate: passed on in its order, or not at all when something of it is wrong; the trace goes on', async (t) => {
  const passed = await passedOn(
    t,
    states.map(([values]) => [
      ['traceparent', PARENT],
      ...[values].flat().map((value): [string, string] => ['tracestate', value]),
    ]),
  );
  assert.deepEqual(
    passed,
    states.map(([, state]) => ({ continued: true, state })),
  );
});

test('tracestate: its name in any case, or another name', async (t) => {
  const passed = await passedOn(
    t,
    ['TraceState', 'TrAcEsTaTe', 'TRACESTATE', 'trace-state', 'trace.state'].map(
      (name): Headers => [
        ['traceparent', PARENT],
        [name, 'foo=1'],
      ],
    ),
  );
  assert.deepEqual(
    passed.map(({ state }) => state),
    ['foo=1', 'foo=1', 'foo=1', undefined, undefined],
  );
});

test('several requests at a time keep their traces apart', async (t) => {
  const ids = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(32).replace(/^0+$/, 'a'.repeat(32)));
  const { request, spans } = await listen(t, (_request, response) => void setImmediate(() => response.end()));
  await Promise.all(ids.map((id) => request('/', { headers: { traceparent: `00-${id}-${CALLER}-01` } })));
  const ended = await spans(ids.length);
  assert.deepEqual(ended.map((span) => span.spanContext().traceId).sort(), [...ids].sort());
});
