import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type TextSpan, traceText } from '#src/viewer/text.js';
import { traceTree } from '#src/viewer/trace-tree.js';

const span = (
  spanId: string,
  parentSpanId: string,
  startMs: number,
  endMs: number,
  more: Partial<TextSpan> = {},
): TextSpan => ({
  traceId: 't',
  spanId,
  parentSpanId,
  name: spanId,
  startMs,
  endMs,
  error: false,
  interrupted: false,
  process: 'shop · slot 0',
  ...more,
});

describe('the tree of a trace', () => {
  it('has children below their parents by start, whatever the order of arrival, and orphans last', () => {
    const rows = traceTree([
      span('late', 'root', 6, 8),
      span('lost', 'nobody', 0, 1),
      span('leaf', 'early', 2, 3),
      span('early', 'root', 1, 4),
      span('root', '', 0, 10),
    ]);
    assert.deepEqual(
      rows.map((row) => [row.span.spanId, row.depth, row.descendants, row.orphan]),
      [
        ['root', 0, 3, false],
        ['early', 1, 1, false],
        ['leaf', 2, 0, false],
        ['late', 1, 0, false],
        ['lost', 0, 0, true],
      ],
    );
  });

  it('opens circles and is as deep as the spans are', () => {
    assert.equal(traceTree([span('a', 'b', 0, 1), span('b', 'a', 0, 1), span('self', 'self', 0, 1)]).length, 3);
    const chain = Array.from({ length: 20_000 }, (_, n) => span(`${n}`, n === 0 ? '' : `${n - 1}`, n, 30_000));
    assert.equal(traceTree(chain).at(-1)?.depth, 19_999);
  });

  it('moves a process whose clock is behind into its parent, with all that it did', () => {
    const rows = traceTree([
      span('call', '', 1000, 1100),
      span('serve', 'call', 400, 460, { process: 'stock' }),
      span('query', 'serve', 410, 420, { process: 'stock' }),
    ]);
    assert.deepEqual(
      rows.map((row) => row.span.startMs + row.shiftMs),
      [1000, 1020, 1030],
    );
  });

  it('marks the critical path', () => {
    const rows = traceTree([
      span('root', '', 0, 100),
      span('parallel', 'root', 10, 40),
      span('first', 'root', 10, 50),
      span('last', 'root', 55, 95),
      span('inner', 'last', 60, 90),
    ]);
    assert.deepEqual(
      rows.filter((row) => row.critical).map((row) => row.span.spanId),
      ['root', 'first', 'last', 'inner'],
    );
  });
});

describe('a trace as text', () => {
  it('shows the tree, durations, failures and the process where it changes', () => {
    const text = traceText([
      span('POST /checkout', '', 0, 184.2, { httpStatus: 500, error: true }),
      span('cart', 'POST /checkout', 10, 22.5),
      span('pay', 'POST /checkout', 30, 180, { interrupted: true, error: true, process: 'pay · slot 1' }),
    ]);
    assert.equal(
      text,
      `POST /checkout  184 ms  3 spans  t
POST /checkout                            184 ms ▕━━━━━━━━━━━━━━━━━━━━━━━━▏ ✗ error shop · slot 0
├─ cart                                  12.5 ms ▕ ━━                     ▏
└─ pay                                    150 ms ▕   ━━━━━━━━━━━━━━━━━━━━ ▏ ✂ interrupted pay · slo…
`,
    );
  });

  it('fits 80 columns, whatever the names', () => {
    const long = 'a very long name of a span that says everything about what it does';
    for (const width of [80, 100, 120]) {
      const text = traceText(
        [
          span('a', '', 0, 84_000, { name: long, traceId: 'f'.repeat(32), error: true }),
          span('b', 'a', 1, 75_123, {
            name: long,
            interrupted: true,
            process: 'recommendations · slot 12 · pid 123456',
          }),
          span('c', 'b', 2, 3, { name: 'GET', httpStatus: 200, process: 'shop · slot 1 · pid 4242' }),
        ],
        { width },
      );
      for (const line of text.split('\n')) assert.ok([...line].length <= width, `${[...line].length}: ${line}`);
      assert.match(text, /✂ interrupted recomm/);
    }
  });

  it('fits 80 columns with characters that are two columns wide or none, and keeps its columns', () => {
    const columns = (line: string) =>
      [...line].reduce((sum, one) => sum + (one === '\u0301' ? 0 : /[漢字🚀한]/u.test(one) ? 2 : 1), 0);
    const names = ['漢字'.repeat(30), '🚀 한 '.repeat(20), 'e\u0301'.repeat(60), 'שלום'.repeat(20), '漢'];
    const spans = names.map((name, n) =>
      span(`${n}`, n === 0 ? '' : '0', n, 50, { name, process: `漢字 · slot ${n}`, error: n % 2 === 0 }),
    );
    const lines = traceText(spans, { width: 80 }).trimEnd().split('\n');
    for (const line of lines) assert.ok(columns(line) <= 80, `${columns(line)}: ${line}`);
    const bars = lines.slice(1).map((line) => columns(line.slice(0, line.indexOf('▕'))));
    assert.deepEqual(new Set(bars).size, 1, `bars begin at ${bars}`);
  });

  it('keeps the names of spans that are thousands deep', () => {
    const chain = Array.from({ length: 2000 }, (_, n) => span(`${n}`, n === 0 ? '' : `${n - 1}`, n, 4000));
    const text = traceText(chain, { width: 80, maxLines: 3000 });
    assert.match(text, /^… 1999 └─ 1999 +/m);
  });

  it('lets no name move the cursor', () => {
    const text = traceText([span('\u001b[2J\u0007evil\r\n', '', 0, 1)]);
    assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
    assert.equal(text.split('\n').length, 3);
  });
});
