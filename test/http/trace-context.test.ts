// The behaviours that the test suite of w3c/trace-context asks for, over HTTP/1 and HTTP/2: both levels of
// its strictness, and what Level 2 of the specification adds.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { describe, type TestContext, test } from 'node:test';
import {
  context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api';
import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, type Sampler } from '@opentelemetry/sdk-trace-base';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { createPropagator } from '#src/worker/propagators.js';
import { defaultLimits, resource } from '../tracer/compared-spans.js';
import { MemorySpanLog } from '../tracer/memory-span-log.js';
import { listen, readUntil } from './traced-server.js';

const ID = '12345678901234567890123456789012';
const CALLER = '1234567890123456';
const PARENT = `00-${ID}-${CALLER}-01`;

type Headers = [name: string, value: string][];
interface Passed {
  /** The trace is the caller's. */
  continued: boolean;
  flags: string;
  state: string | undefined;
}
type Version = 1 | 2;

/**
 * What a handler passes on in an outgoing request, given these headers, in raw bytes where the protocol has
 * them.
 */
async function passedOn(t: TestContext, version: Version, cases: Headers[], sampler?: Sampler): Promise<Passed[]> {
  propagation.disable();
  propagation.setGlobalPropagator(createPropagator(['tracecontext', 'baggage']));
  const passed: Passed[] = [];
  const tracerProvider = new JournalTracerProvider({
    resource,
    spanLimits: defaultLimits,
    spanLog: new MemorySpanLog(),
    ...(sampler && { sampler }),
  });
  const app = (_request: unknown, response: { end(text: string): void }) => {
    const outgoing: Record<string, string> = {};
    propagation.inject(context.active(), outgoing);
    const [, traceId, spanId, flags] = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/.exec(outgoing.traceparent!)!;
    assert.notEqual(spanId, CALLER);
    passed.push({ continued: traceId === ID, flags: flags!, state: outgoing.tracestate });
    response.end('passed');
  };
  const { connect, port } = await listen(t, version === 1 ? app : http2.createServer(app), { tracerProvider });
  if (version === 1) {
    for (const headers of cases) {
      const socket = await connect();
      const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${lines}\r\n`, 'latin1');
      await readUntil(socket, 'passed');
    }
    return passed;
  }
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  for (const headers of cases) {
    const lists: Record<string, string[]> = {};
    for (const [name, value] of headers) {
      lists[name.toLowerCase()] ??= [];
      lists[name.toLowerCase()]!.push(value);
    }
    const stream = session.request({ ':path': '/', ...lists });
    await once(stream.resume(), 'close');
  }
  assert.equal(passed.length, cases.length);
  return passed;
}

/** HTTP/2 has no space around a value: such a request is malformed (RFC 9113, section 8.2.1). */
function sent<T extends [string | string[], ...unknown[]]>(version: Version, cases: T[]): T[] {
  const isPadded = (line: string) => /^[ \t]|[ \t]$/.test(line);
  return version === 1 ? cases : cases.filter(([values]) => ![values].flat().some(isPadded));
}

const parents: [string, boolean][] = [
  [PARENT, true],
  [`${PARENT}.`, false],
  [`${PARENT}-what-the-future-will-be-like`, false],
  ...['01', 'cc', 'fe'].flatMap((version): [string, boolean][] => [
    [`${version}-${ID}-${CALLER}-01`, true],
    [`${version}-${ID}-${CALLER}-01-what-the-future-will-be-like`, true],
    [`${version}-${ID}-${CALLER}-01.what-the-future-will-not-be-like`, false],
  ]),
  ...['ff', 'FF', 'CC', '.0', '0.', '000', '0000', '0', ''].map((version): [string, boolean] => [
    `${version}-${ID}-${CALLER}-01`,
    false,
  ]),
  ...['0'.repeat(32), `.${ID.slice(1)}`, `${ID.slice(0, 31)}.`, `${ID}3`, ID.slice(1), ID.replace('1', 'A'), ''].map(
    (id): [string, boolean] => [`00-${id}-${CALLER}-01`, false],
  ),
  ...[
    '0'.repeat(16),
    `.${CALLER.slice(1)}`,
    `${CALLER.slice(0, 15)}.`,
    `${CALLER}7`,
    CALLER.slice(1),
    'A'.repeat(16),
  ].map((id): [string, boolean] => [`00-${ID}-${id}-01`, false]),
  ...['.0', '0.', '001', '1', '', '0A', 'FF'].map((flags): [string, boolean] => [`00-${ID}-${CALLER}-${flags}`, false]),
  ['', false],
  [PARENT.replaceAll('-', '_'), false],
  [PARENT.replaceAll('-', ' '), false],
  [` ${PARENT}`, true],
  [`${PARENT} `, true],
  [`\t${PARENT}`, true],
  [`${PARENT}\t`, true],
  [`\t ${PARENT} \t`, true],
];

const other = `00-${ID.replace('1', '2')}-${CALLER}-01`;
const later = `cc-${ID}-${CALLER}-01-what-the-future-will-be-like`;
const both = (first: string, second: string): Headers => [
  ['traceparent', first],
  ['traceparent', second],
];
const lines: [Headers, boolean][] = [
  ...['traceparent', 'TraceParent', 'TrAcEpArEnT', 'TRACEPARENT'].map((name): [Headers, boolean] => [
    [[name, PARENT]],
    true,
  ]),
  [[['trace-parent', PARENT]], false],
  [[['trace.parent', PARENT]], false],
  [[], false],
  [both(PARENT, other), false],
  [both(PARENT, PARENT), false],
  [both(later, later), false],
  [both(PARENT, ''), false],
  [[['tracestate', 'foo=1']], false],
  [[['tracestate', 'foo=1,bar=2']], false],
];

/** What the caller says, and what is passed on, by a parent-based sampler. */
const flags: [string, string][] = [
  ['00', '00'],
  ['01', '01'],
  // Level 2: the random trace id flag is the trace's, and all others are unknown.
  ['02', '02'],
  ['03', '03'],
  ['04', '00'],
  ['08', '00'],
  ['0d', '01'],
  ['80', '00'],
  ['fe', '02'],
  ['ff', '03'],
];

const KEY = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/';
const range = (from: number, to: number) =>
  String.fromCharCode(...Array.from({ length: to - from + 1 }, (_, i) => from + i));
const ALL = range(0x20, 0x2b) + range(0x2d, 0x3c) + range(0x3e, 0x7e);
const members = (count: number, width = 1) =>
  Array.from({ length: count }, (_, i) => `bar${i + 1}=${`${i + 1}`.padStart(width, 'v')}`);
const same = (state: string): [string, string] => [state, state];

/** Values of one header, or of several; what is passed on. */
const states: [string | string[], string | undefined][] = [
  same('foo=1'),
  same('foo=1,bar=2'),
  ['', undefined],
  [',', undefined],
  [['', ''], undefined],
  [['foo=1', ''], 'foo=1'],
  [['', 'foo=1'], 'foo=1'],
  [['foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'], 'foo=1,bar=2,rojo=1,congo=2,baz=3'],
  // Of a key that is there twice the first is the newer one.
  ['foo=1,foo=1', 'foo=1'],
  ['foo=1,foo=2', 'foo=1'],
  [['foo=1', 'foo=1'], 'foo=1'],
  [['foo=1', 'bar=3,foo=2'], 'foo=1,bar=3'],
  ['foo=1 \t , \t bar=2, \t baz=3', 'foo=1,bar=2,baz=3'],
  ['foo=1\t \t,\t \tbar=2,\t \tbaz=3', 'foo=1,bar=2,baz=3'],
  ['foo=1, ,bar=2', 'foo=1,bar=2'],
  ['foo=1,,bar=2,', 'foo=1,bar=2'],
  [' foo=1', 'foo=1'],
  ['\tfoo=1', 'foo=1'],
  ['foo=1 ', 'foo=1'],
  ['foo=1\t', 'foo=1'],
  ['\t foo=1 \t', 'foo=1'],
  same('foo=  1 2'),
  same(`${KEY}=${ALL}`),
  same(`${KEY}@a-z0-9_-*/=${ALL}`),
  // Strictness level 2 of the suite.
  ['foo =1', undefined],
  ['foo\t=1', undefined],
  ['FOO=1', undefined],
  ['foo=1,Bar=2', undefined],
  ['foo.bar=1', undefined],
  ['fóo=1', undefined],
  ['_foo=1', undefined],
  ['@foo=1,bar=2', undefined],
  ['foo', undefined],
  ['=1', undefined],
  ['foo=bar=baz', undefined],
  ['foo=,bar=3', undefined],
  ['foo=1;bar=2', undefined],
  ['foo=a\tb', undefined],
  ['foo=é', undefined],
  // Keys of Level 2 of the specification.
  same('1foo=1'),
  same('foo@=1,bar=2'),
  same('foo@@bar=1,bar=2'),
  same('foo@bar@baz=1,bar=2'),
  same(members(32).join(',')),
  [[members(16).join(','), members(32).slice(16).join(',')], members(32).join(',')],
  [members(33).join(','), undefined],
  [[members(32).join(','), 'foo=1'], undefined],
  [Array.from({ length: 33 }, () => 'foo=1').join(','), undefined],
  // More than the 512 characters that are asked for.
  same(members(32, 100).join(',')),
  [['foo=1', `${'z'.repeat(256)}=1`], `foo=1,${'z'.repeat(256)}=1`],
  [['foo=1', `${'z'.repeat(257)}=1`], undefined],
  same(`foo=1,${'t'.repeat(241)}@${'v'.repeat(14)}=1`),
  same(`foo=1,${'t'.repeat(242)}@v=1`),
  same(`foo=1,t@${'v'.repeat(15)}=1`),
  same(`foo=1,bar=${'v'.repeat(256)}`),
  [`foo=1,bar=${'v'.repeat(257)}`, undefined],
];

for (const version of [1, 2] as const) {
  describe(`HTTP/${version}`, () => {
    test('traceparent: versions, ids and flags that are wrong start a new trace', async (t) => {
      const cases = sent(version, parents);
      const passed = await passedOn(
        t,
        version,
        cases.map(([value]) => [['traceparent', value]]),
      );
      assert.deepEqual(
        passed.map(({ continued }, i) => [cases[i]![0], continued]),
        cases,
      );
      for (const { continued, flags } of passed) assert.equal(flags, '01', `${continued}`);
    });

    test('traceparent: its name in any case; missing or twice, a new trace without state', async (t) => {
      const passed = await passedOn(
        t,
        version,
        lines.map(([headers]) => headers),
      );
      assert.deepEqual(
        passed.map(({ continued, state }, i) => [lines[i]![0], continued, state]),
        lines.map(([headers, continued]) => [headers, continued, undefined]),
      );
    });

    for (const [name, sampler] of [
      ['by default', undefined],
      ['with a sampler of the program', new ParentBasedSampler({ root: new AlwaysOnSampler() })],
    ] as const) {
      test(`flags: sampled and random go on, the unknown ones do not, ${name}`, async (t) => {
        const passed = await passedOn(
          t,
          version,
          flags.map(([value]) => [['traceparent', `00-${ID}-${CALLER}-${value}`]]),
          sampler,
        );
        assert.deepEqual(
          passed.map((each, i) => [flags[i]![0], each.flags]),
          flags,
        );
        assert.ok(passed.every(({ continued }) => continued));
      });
    }

    test('flags: a sampler that drops clears the sampled one alone', async (t) => {
      const passed = await passedOn(t, version, [[['traceparent', `00-${ID}-${CALLER}-03`]]], new AlwaysOffSampler());
      assert.deepEqual(passed, [{ continued: true, flags: '02', state: undefined }]);
    });

    test('tracestate: passed on in its order, or not at all when something of it is wrong; the trace goes on', async (t) => {
      const cases = sent(version, states);
      const flags = (i: number) => `0${i % 2}`;
      const passed = await passedOn(
        t,
        version,
        cases.map(([values], i) => [
          ['traceparent', `00-${ID}-${CALLER}-${flags(i)}`],
          ...[values].flat().map((value): [string, string] => ['tracestate', value]),
        ]),
      );
      assert.deepEqual(
        passed,
        cases.map(([, state], i) => ({ continued: true, flags: flags(i), state })),
      );
    });

    test('tracestate: its name in any case, or another name', async (t) => {
      const passed = await passedOn(
        t,
        version,
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
  });
}

test('several requests at a time keep their traces apart', async (t) => {
  const { request, spans } = await listen(t, (_request, response) => void setImmediate(() => response.end()));
  const ids = Array.from({ length: 10 }, (_, i) => `${i}`.repeat(32).replace(/^0+$/, 'a'.repeat(32)));
  await Promise.all(ids.map((id) => request('/', { headers: { traceparent: `00-${id}-${CALLER}-01` } })));
  const ended = await spans(ids.length);
  assert.deepEqual(ended.map((span) => span.spanContext().traceId).sort(), [...ids].sort());
});

test('the state that is passed on can be changed: what is new comes first, and 32 members stay', () => {
  const propagator = createPropagator(['tracecontext']);
  const full = { traceparent: PARENT, tracestate: members(32).join(',') };
  const caller = trace.getSpanContext(propagator.extract(ROOT_CONTEXT, full, defaultTextMapGetter))!;
  const changed = caller.traceState!.set('bar2', 'x').unset('bar3').set('foo', '1').set('bar2', 'y').set('own', '1');
  assert.equal(changed.get('bar2'), 'y');
  assert.equal(changed.set('Foo', '1'), changed);
  assert.equal(changed.set('foo', 'a,b'), changed);
  assert.equal(changed.unset('none'), changed);
  const rest = members(31).filter((member) => !/^bar[23]=/.test(member));
  const carrier: Record<string, string> = {};
  propagator.inject(
    trace.setSpanContext(ROOT_CONTEXT, { ...caller, traceState: changed }),
    carrier,
    defaultTextMapSetter,
  );
  assert.deepEqual(carrier, { traceparent: PARENT, tracestate: ['own=1', 'bar2=y', 'foo=1', ...rest].join(',') });
});

test('flags of a context that the program made are two digits', () => {
  const carrier: Record<string, string> = {};
  const caller = { traceId: ID, spanId: CALLER, traceFlags: 0xff };
  createPropagator(['tracecontext']).inject(trace.setSpanContext(ROOT_CONTEXT, caller), carrier, defaultTextMapSetter);
  assert.deepEqual(carrier, { traceparent: `00-${ID}-${CALLER}-03` });
});

test('several lines of a carrier that has lists', () => {
  const propagator = createPropagator(['tracecontext']);
  const extract = (carrier: Record<string, string[]>) =>
    trace.getSpanContext(propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter));
  assert.equal(extract({ traceparent: [PARENT, other] }), undefined);
  assert.equal(extract({ traceparent: [PARENT], tracestate: ['a=1', 'b=2'] })?.traceState?.serialize(), 'a=1,b=2');
});
