import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { TraceStore } from '#src/viewer/store/trace-store.js';
import { parseFilter, writeFilter } from '#src/viewer/views/filter-language.js';
import { TraceLists } from '#src/viewer/views/trace-list.js';
import { requestSpans } from './cluster-feed.js';
import { all, FILTERS, feed, shop, startMs } from './filter-cases.js';
import { newTraceId, tracesRequest } from './otlp-feed.js';

function stored() {
  const store = new TraceStore();
  feed((request) => store.ingest(request));
  return store;
}

const routes = (q: string, more = '') => {
  const query = new URLSearchParams(`${more}&${new URLSearchParams({ q })}`);
  return new TraceLists(stored())
    .view(query)
    .rows.map((row) => row.name.split(' ')[1])
    .sort();
};

describe('the filter of traces', () => {
  for (const [q, expected] of FILTERS) {
    it(`understands ${q || 'nothing'}`, () => assert.deepEqual(routes(q), expected));
  }

  it('keeps to times', () => {
    assert.deepEqual(routes('', `from=${startMs + 1}`), []);
    assert.deepEqual(routes('', `from=${startMs - 1}&to=${startMs + 1}`), all);
    assert.deepEqual(routes('', 'last=60000'), all);
    assert.deepEqual(routes('', 'last=1'), []);
  });

  it('writes what it reads', () => {
    for (const text of [
      'status>=500 -route:/checkout word',
      'service="big shop" "two words"',
      'a!="say \\"so\\" \\\\"',
      '"-not" "a:b"',
      '-x<=1',
    ]) {
      assert.equal(writeFilter(parseFilter(text)), text);
    }
    assert.deepEqual(parseFilter('  '), []);
    assert.deepEqual(parseFilter('- : ""'), [
      { negated: false, field: '', operator: ':', value: '-' },
      { negated: false, field: '', operator: ':', value: ':' },
    ]);
  });
});

describe('the list of traces', () => {
  const query = (text: string) => new URLSearchParams(text);

  it('is read by pages, which stay as they are while more arrive', () => {
    const store = new TraceStore();
    const lists = new TraceLists(store);
    const add = (from: number, count: number) => {
      for (let n = from; n < from + count; n++) {
        store.ingest(tracesRequest([{ name: `t${n}`, startMs: startMs + n }]));
      }
    };
    add(0, 500);
    const first = lists.view(query('limit=200'));
    assert.equal(first.rows[0]!.name, 't499');
    add(500, 300);
    const names: string[] = [];
    for (let offset = 0; offset < first.total; offset += 200) {
      const page = lists.view(query(`until=${first.until}&limit=200&offset=${offset}`));
      assert.equal(page.total, 500);
      assert.equal(page.newer, 300);
      names.push(...page.rows.map(({ name }) => name));
    }
    assert.deepEqual(
      names,
      Array.from({ length: 500 }, (_, n) => `t${499 - n}`),
    );
  });

  it('that is held keeps no trace which the store has let go', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const store = new TraceStore({ maxTraces: 100 });
    const lists = new TraceLists(store);
    store.ingest(tracesRequest([{ name: 'first' }]));
    const first = new WeakRef([...store.traces.values()][0]!);
    assert.equal(lists.view(query('until=1')).total, 1);
    store.ingest(tracesRequest(Array.from({ length: 200 }, () => ({ name: 'later' }))));
    // A reference that has been looked at holds until the turn ends.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    assert.equal(first.deref(), undefined);
    assert.equal(lists.view(query('until=1')).total, 0);
  });

  it('plots every trace that matches, as cells when there are many', () => {
    const store = new TraceStore();
    const spans = Array.from({ length: 5000 }, (_, n) => ({
      name: 'x',
      startMs: startMs + n,
      durationMs: 1 + (n % 50),
      error: n % 100 === 0,
    }));
    store.ingest(tracesRequest(spans));
    const { plot } = new TraceLists(store).view(query('plot=1&limit=1'));
    assert.equal(plot!.points, undefined);
    const sum = (key: 'ok' | 'error') => plot!.heat!.cells.reduce((total, cell) => total + cell[key], 0);
    assert.deepEqual([sum('ok'), sum('error')], [4950, 50]);
    const few = new TraceLists(store).view(query(`plot=1&limit=1&to=${startMs + 99}`));
    assert.equal(few.plot!.points!.length, 100);
  });

  it('leaves what is far off beside the plot, and says how many there are and of when', () => {
    const at = (...times: number[]) => {
      const store = new TraceStore();
      store.ingest(tracesRequest(times.map((time) => ({ startMs: time, durationMs: 1 }))));
      const { fromMs, toMs, points, outside } = new TraceLists(store).view(query('plot=1')).plot!;
      return { fromMs, toMs, points: points!.length, outside };
    };
    const year1970 = 86_400_000;
    const year2100 = Date.UTC(2100, 0, 1);
    const near = Array.from({ length: 30 }, (_, n) => startMs + n * 100);
    const [fromMs, toMs] = [startMs, startMs + 2900];
    assert.deepEqual(at(year1970, ...near, year2100, year2100 + 5), {
      fromMs,
      toMs,
      points: 30,
      outside: [
        { count: 1, fromMs: year1970, toMs: year1970 },
        { count: 2, fromMs: year2100, toMs: year2100 + 5 },
      ],
    });
    assert.equal(at(year2100, startMs, startMs + 1).outside!.length, 1, 'one of three');
    const hour = 3_600_000;
    for (const [what, ...times] of [
      ['one of two', year1970, startMs],
      ['an hour before', startMs - hour, ...near],
      ['half a day before', startMs - 12 * hour, ...near],
      ['as many as the others', ...near, ...near.map((time) => time - 50 * hour)],
      ['three days of one each hour', ...Array.from({ length: 72 }, (_, n) => startMs - n * hour)],
    ] as [string, ...number[]][]) {
      const plotted = at(...times);
      assert.deepEqual(
        [plotted.outside, plotted.points, plotted.fromMs, plotted.toMs],
        [undefined, times.length, Math.min(...times), Math.max(...times)],
        what,
      );
    }
  });
});

describe('a time of a span', () => {
  it('is whole when it is whole milliseconds, so that a range has its ends', () => {
    const times = Array.from({ length: 1000 }, (_, n) => startMs + n);
    const store = new TraceStore();
    store.ingest(tracesRequest(times.map((at) => ({ startMs: at, durationMs: 3 }))));
    assert.deepEqual(
      [...store.traces.values()].map((trace) => [trace.startMs, trace.durationMs]),
      times.map((at) => [at, 3]),
    );
  });
});

describe('the full store', () => {
  it('takes what arrives, however large a notable trace is', () => {
    const store = new TraceStore({ maxBytes: 100_000 });
    const traceOf = (error: boolean, spans: number) => {
      const traceId = newTraceId();
      store.ingest(tracesRequest(Array.from({ length: spans }, () => ({ traceId, error }))));
      return traceId;
    };
    const failed = traceOf(true, 100);
    const plain = traceOf(false, 100);
    assert.deepEqual([...store.traces.keys()], [plain]);
    assert.ok(store.byteCount <= 100_000 && failed !== plain);
  });

  it('lets ordinary traces go before failed, interrupted and slow ones', () => {
    const store = new TraceStore({ maxTraces: 1000 });
    const take = (request: Parameters<typeof requestSpans>[0]) =>
      store.ingest(tracesRequest(requestSpans(request), shop(0)));
    const plain = (count: number) => {
      for (let n = 0; n < count; n++) take({ startMs: startMs + n, durationMs: 10 + (n % 7), route: '/plain' });
    };
    plain(600);
    take({ startMs, durationMs: 10, route: '/failed', status: 500 });
    take({ startMs, durationMs: 10, route: '/cut', interrupted: true });
    take({ startMs, durationMs: 4000, route: '/slow' });
    plain(5000);
    const kept = [...store.traces.values()].map(({ root }) => root.route);
    assert.equal(kept.length, 1000);
    assert.deepEqual(
      kept.filter((route) => route !== '/plain'),
      ['/failed', '/cut', '/slow'],
    );
    // When nothing but failures arrives, the newest of them are kept.
    for (let n = 0; n < 3000; n++) take({ startMs, durationMs: 10, route: `/e${n}`, status: 500 });
    const routes = [...store.traces.values()].map(({ root }) => root.route);
    assert.ok(store.traces.size <= 1000 && routes.includes('/e2999') && routes.includes('/plain'));
  });
});
