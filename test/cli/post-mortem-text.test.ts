import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { deathLine, postMortemText } from '#src/cli/post-mortem-text.js';
import type { LogInBrief, SpanInBrief } from '#src/forensics/in-brief.js';
import type { PostMortem } from '#src/forensics/post-mortem.js';
import { VITAL } from '#src/forensics/vitals-table.js';

const span = (name: string, more: Partial<SpanInBrief> = {}): SpanInBrief => ({
  ...{ name, traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), startMs: 0, durationMs: 12, error: false },
  ...more,
});

const log = (body: string, more: Partial<LogInBrief> = {}): LogInBrief => ({
  ...{ timeMs: 0, severity: 9, severityText: '', body, attributes: '', traceId: '', spanId: '' },
  ...more,
});

const NOBODY: PostMortem = {
  ...{ id: 'abcdef123456', atMs: 5000, service: 'shop', pid: 7, slot: undefined, cause: 'unknown', code: null },
  ...{ signal: null, record: undefined, block: undefined, lastWords: undefined, vitals: undefined },
  ...{ inFlight: [], inFlightTotal: 0, lastSpans: [], slowestSpans: [] },
};

const text = (more: Partial<PostMortem>) => stripVTControlCharacters(postMortemText({ ...NOBODY, ...more }));
const frames = (count: number) => Array.from({ length: count }, (_, i) => `at f${i} (/srv/app.js:${i}:1)`).join('\n');

test('of a process of which little is known what is known is said, and the rest named as not known', () => {
  const screen = text({});
  assert.match(screen, /^shop: process 7 died at 1970-01-01T00:00:05\.000Z\n {2}unknown, exit code not known: /);
  assert.match(screen, /\nIn flight\n {2}nothing\n/);
  assert.match(screen, /\nLast minute\n {2}not known: it ended before its first second was over\n$/);
  assert.equal(deathLine(NOBODY), 'abcdef123456  1970-01-01T00:00:05.000Z  pid 7  unknown  0 in flight\n');
  assert.match(deathLine({ ...NOBODY, slot: 2 }), / {2}slot 2 \(pid 7\) {2}/);
  assert.match(text({ code: 3, slot: 1 }), /worker in slot 1, pid 7 died at .*\n {2}unknown, exit code 3: /);
  assert.match(text({ signal: 'SIGKILL' }), /unknown, signal SIGKILL: /);
});

test('its exception comes before what it was found doing, with as many frames as a screen takes', () => {
  const block = { state: 'runs JavaScript', stack: frames(2), active: undefined };
  const thrown = text({
    record: {
      exceptionType: 'TypeError',
      message: 'no',
      stack: `TypeError: no\n${frames(15).replaceAll(/^/gm, '    ')}`,
    },
    block,
  });
  assert.match(thrown, /\nException\n {2}TypeError: no\n {4}at f0 .*\n {4}… 3 more frames\n/s);
  assert.doesNotMatch(thrown, /What it was doing/);
  assert.match(text({ record: { message: 'no' } }), /\nException\n {2}no\n/);
  assert.match(text({ record: {}, block }), /\nWhat it was doing\n {2}it runs JavaScript\n {4}at f0 .*\n {4}at f1 /);
  assert.match(text({ block: { ...block, stack: undefined } }), /\n {2}it runs JavaScript\n\nIn flight/);
});

test('the culprit stands first, and no more requests than a screen takes', () => {
  const victims = Array.from({ length: 8 }, (_, i) => ({ ...span(`GET /v${i}`), role: 'victim' as const }));
  const blamed = text({
    inFlight: [...victims, { ...span('GET /loop', { error: true }), role: 'culprit' }],
    inFlightTotal: 12,
  });
  assert.match(blamed, /\nIn flight: 12, culprit first\n {2}culprit {2}GET \/loop .*\n {2}victim {3}GET \/v0 /);
  assert.match(blamed, /\n {2}… 6 more\n/);
  const unknown = text({ inFlight: [{ ...span('GET /a'), role: undefined }], inFlightTotal: 1 });
  assert.match(unknown, /\nIn flight: 1\n {11}GET \/a +12\.0 ms| {2}12 ms/);
});

test('last words, log records and spans: the newest, cut to a screen, without what moves a cursor', () => {
  const screen = text({
    lastWords: `${Array.from({ length: 20 }, (_, i) => `line ${i}`).join('\n')}\n\n\u001b[2Jend`,
    lastLogs: [
      log('plain', { attributes: 'a=1' }),
      log('failed', { severity: 17, traceId: 'c'.repeat(32) }),
      log('own level', { severity: 0, severityText: 'NOTICE' }),
    ],
    heapSnapshots: ['/srv/Heap.1.heapsnapshot'],
    lastSpans: [span('GET /last')],
    slowestSpans: [span('GET /slow', { error: true })],
  });
  assert.ok(!screen.includes('line 8\n') && !screen.includes('\u001b'), screen);
  assert.match(screen, /\nLast words\n {2}line 9\n/);
  assert.match(
    screen,
    /\n {2}00:00:00\.000 info {2}plain a=1\n {2}00:00:00\.000 error failed {2}c{32}\n {2}00:00:00\.000 NOTI/,
  );
  assert.match(screen, /\nHeap snapshots\n {2}\/srv\/Heap\.1\.heapsnapshot\n/);
  assert.match(screen, /\nSlowest spans before\n {2}GET \/slow .*\n\nLast spans\n {2}GET \/last /);
});

test('the last minute, with the memory of the control group where there is a limit', () => {
  const zero = Object.fromEntries(Object.keys(VITAL).map((name) => [name, 0]));
  const second = { heapUsed: 1, rss: 1, utilization: 1, delayMs: 1, gcMs: 1, inFlight: 1 };
  const vitals = (limit: number) =>
    ({ last: { ...zero, atMs: 4000, cgroupUsed: 1024, cgroupLimit: limit }, minute: [second, second] }) as never;
  assert.match(
    text({ vitals: vitals(0) }),
    /\nLast minute \(the last numbers are 1 s older than the death\)\n {2}heap +██ /,
  );
  assert.doesNotMatch(text({ vitals: vitals(0) }), /control group/);
  assert.match(text({ vitals: vitals(2048) }), /\n {2}memory {5}1 KiB of the control group's 2 KiB\n/);
});
