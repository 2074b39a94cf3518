import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RoutesView } from '#src/viewer/api-types/routes.js';
import type { ServiceMapView } from '#src/viewer/api-types/service-map.js';
import type { StateView } from '#src/viewer/api-types/state.js';
import type { LinkedSpanView, TraceView } from '#src/viewer/api-types/trace.js';
import type { TraceListView } from '#src/viewer/api-types/trace-list.js';
import { DatabaseLists } from '#src/viewer/database/database-lists.js';
import { hasSqlite } from '#src/viewer/database/sqlite.js';
import { TraceDatabase } from '#src/viewer/database/trace-database.js';
import { TraceTables } from '#src/viewer/database/trace-tables.js';
import { startViewer, type ViewerOptions } from '#src/viewer/start.js';
import { TraceStore } from '#src/viewer/store/trace-store.js';
import { encode } from '#src/wire/encode.js';
import { LogsRequest } from '#src/wire/otlp.js';
import { all, FILTERS, feed, startMs } from './filter-cases.js';
import { keyValues, newSpanId, newTraceId, send, tracesRequest } from './otlp-feed.js';

function directory(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'forktrace-viewer-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function tablesIn(t: TestContext, maxBytes = 1e9): TraceTables {
  const tables = new TraceTables(join(directory(t), 'traces'), maxBytes);
  t.after(() => tables.close());
  return tables;
}

/** As the viewer does it, which merges while nothing is asked of it. */
function writeAndMerge(tables: TraceTables, request: Buffer): void {
  tables.write(request);
  while (tables.merge());
}

const list = (tables: TraceTables, query: string | Record<string, string>, readingMs = Number.POSITIVE_INFINITY) =>
  new DatabaseLists(tables, readingMs).view(new URLSearchParams(query));

/** What is received is written bit by bit. */
async function written(database: TraceDatabase, count: number): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  for (let total = 0; total < count; ) ({ total } = await database.list(new URLSearchParams('limit=1'), signal));
}
const names = ({ rows }: TraceListView) => rows.map(({ name }) => name);

describe('the database of traces', { skip: !hasSqlite && 'this Node.js has no node:sqlite' }, () => {
  it('finds with every filter what memory finds', (t) => {
    const tables = tablesIn(t);
    feed((request) => tables.write(request));
    for (const [q, expected] of FILTERS) {
      const found = names(list(tables, { q })).map((name) => name.split(' ')[1]);
      assert.deepEqual(found.sort(), [...expected], q);
    }
    const total = (query: string) => list(tables, query).total;
    assert.equal(total(`from=${startMs + 1}`), 0);
    assert.equal(total(`from=${startMs - 1}&to=${startMs + 1}`), all.length);
    assert.equal(total('last=60000'), all.length);
    assert.equal(total('last=1'), 0);
  });

  it('is read by pages, which stay as they are while more arrive', (t) => {
    const tables = tablesIn(t);
    const add = (from: number, count: number) => {
      const spans = Array.from({ length: count }, (_, n) => ({
        name: `t${from + n}`,
        startMs: startMs + from + n,
        attributes: { 'cart.items': n, even: n % 2 === 0 },
      }));
      tables.write(tracesRequest(spans));
    };
    add(0, 500);
    for (const [q, share] of [
      ['', 1],
      ['service:shop', 1],
      ['duration>0.5ms', 1],
      ['even=true', 0.5],
    ] as const) {
      const { until } = list(tables, { q, limit: '1' });
      const first = list(tables, { q, limit: '1' }).rows[0]!.name;
      const from = Number(first.slice(1)) + 1;
      add(1000 * until, 300);
      const seen: string[] = [];
      let total = 1;
      for (let offset = 0; offset < total; offset += 200) {
        const page = list(tables, { q, until: `${until}`, limit: '200', offset: `${offset}` });
        total = page.total;
        assert.equal(page.newer, 300 * share, q);
        seen.push(...names(page));
      }
      assert.equal(seen.length, until * share, q);
      assert.equal(new Set(seen).size, seen.length);
      assert.equal(seen[0], `t${from - 1}`);
    }
  });

  it('plots what matches, and when there is too much some of each stretch of time', (t) => {
    const tables = tablesIn(t);
    const write = (from: number, count: number) =>
      tables.write(
        tracesRequest(
          Array.from({ length: count }, (_, n) => ({
            startMs: startMs + from + n,
            durationMs: 1 + (n % 50),
            error: n % 100 === 0,
          })),
        ),
      );
    write(0, 100);
    assert.equal(list(tables, 'plot=1').plot!.points!.length, 100);
    write(100, 9900);
    const { plot, total } = list(tables, 'plot=1&limit=1');
    assert.equal(total, 10_000);
    assert.ok(plot!.sampled);
    assert.deepEqual(new Set(plot!.heat!.cells.map(({ column }) => column >> 1)).size, 80, 'of all of the time');
    const { plot: filtered, total: matching } = list(tables, 'plot=1&limit=1&q=service:shop');
    assert.deepEqual([matching, filtered!.sampled], [10_000, true]);
    assert.deepEqual(new Set(filtered!.heat!.cells.map(({ column }) => column >> 1)).size, 80, 'of all that is listed');
    const errors = list(tables, 'plot=1&q=status:error').plot!;
    assert.equal(errors.points!.length, 100);
    assert.equal(errors.sampled, undefined);
    const longAgo = 86_400_000;
    tables.write(tracesRequest([{ startMs: longAgo }, { startMs: Date.UTC(2100, 0, 1) }]));
    const beside = list(tables, 'plot=1&limit=1').plot!;
    assert.deepEqual([beside.fromMs, beside.toMs], [plot!.fromMs, plot!.toMs]);
    assert.deepEqual(
      beside.outside!.map(({ count, fromMs }) => [count, fromMs]),
      [
        [1, longAgo],
        [1, Date.UTC(2100, 0, 1)],
      ],
    );
    assert.deepEqual(new Set(beside.heat!.cells.map(({ column }) => column >> 1)).size, 80, 'of all that is near');
  });

  it('puts together what arrives late, once', (t) => {
    const tables = tablesIn(t);
    const traceId = newTraceId();
    const root = newSpanId();
    const child = { traceId, spanId: newSpanId(), parentSpanId: root, name: 'pay', startMs: startMs + 5 };
    tables.write(tracesRequest([child], { 'service.name': 'bank' }));
    // So much that it is no longer held open.
    const filler = (n: number) =>
      Array.from({ length: 2000 }, (_, m) => ({ name: `x${n}`, startMs: startMs + 10 + n + m / 1000 }));
    for (let n = 0; n < 5; n++) tables.write(tracesRequest(filler(n)));
    const request = { traceId, spanId: root, name: 'POST /pay', kind: 2, startMs, durationMs: 50 };
    tables.write(tracesRequest([{ ...child }], { 'service.name': 'bank' }));
    tables.write(tracesRequest([request]));
    const { rows } = list(tables, 'q=service:bank+service:shop');
    assert.deepEqual(
      rows.map(({ name, spans, durationMs, processes }) => ({ name, spans, durationMs, processes })),
      [{ name: 'POST /pay', spans: 2, durationMs: 50, processes: 2 }],
    );
    assert.equal(tables.held, 10_001);
    assert.equal(tables.trace(traceId)!.spans.size, 2);
  });

  it('finds words, ids and attributes that memory has long pushed out, and reads on where terms do not tell', (t) => {
    const tables = tablesIn(t);
    const traceId = newTraceId();
    tables.write(tracesRequest([{ traceId, name: 'needle', attributes: { 'order.id': 'A-4711', price: 12.5 } }]));
    for (let n = 0; n < 4; n++) tables.write(tracesRequest(Array.from({ length: 500 }, () => ({ name: 'hay' }))));
    for (const q of [
      'needle',
      'NEED',
      '4711',
      'A-4711',
      traceId,
      `trace:${traceId.slice(0, 9)}`,
      'order.id=A-4711',
      'price>12',
      'name:edl',
      '-name:hay',
    ]) {
      assert.deepEqual(names(list(tables, { q })), ['needle'], q);
    }
    assert.equal(list(tables, { q: '4712' }).total, 0);
    const hasty = list(tables, { q: '-order.id:x' }, -1);
    assert.deepEqual([hasty.total, hasty.more], [1, true], 'time is up after the first');
    assert.equal(list(tables, { q: '-order.id:x', to: `${hasty.searchedToMs! - 0.001}` }).total, 2000);
    const numbered = Array.from({ length: 200 }, (_, n) => ({ name: `job${1000 + n} done` }));
    tables.write(tracesRequest(numbered));
    const totalOf = (q: string) => list(tables, { q }).total;
    assert.deepEqual(['job', 'job10', 'job100', 'job1000', 'jo', 'j'].map(totalOf), [200, 100, 10, 1, 200, 200]);
    assert.equal(list(tables, { q: '"eed"' }).total, 0, 'a word is found by how it begins');
  });

  it('reads what is newest for the beginning of a word that the index has too much of', (t) => {
    const path = join(directory(t), 'traces');
    const most = 1000;
    const tables = new TraceTables(path, 1e9, most);
    t.after(() => tables.close());
    const write = (prefix: string, count: number) => {
      const spans = Array.from({ length: count }, (_, n) => ({
        name: 'job',
        startMs: startMs + tables.held + n,
        attributes: { 'job.id': `${prefix}${n}`, ...(n === 7 && { odd: true }) },
      }));
      tables.write(tracesRequest(spans));
    };
    const rare = () => list(tables, { q: 'abc odd=true', plot: '1' });
    const hasty = (q: string) => list(tables, { q }, -1).total;
    write('abc', most);
    assert.equal(hasty('abc'), most, 'in the index');
    write('abc', 1);
    assert.equal(hasty('abc'), 1, 'of which the first is read');
    for (const [q, expected] of [
      ['abc', most + 1],
      ['ABC1', 1 + 10 + 100],
      ['job.id:abc', most + 1],
      ['-abc', 0],
      ['-def', most + 1],
      ['job abc', most + 1],
      ['xyz', 0],
    ] as const) {
      assert.equal(list(tables, { q }).total, expected, q);
    }
    assert.deepEqual([rare().total, rare().plot!.points!.length], [1, 1]);
    // What came last tells nothing of it: the index has it.
    write('def', 100);
    assert.equal(hasty('abc'), most + 1);
  });

  it('stays within its bound: the oldest go', (t) => {
    const maxBytes = 1.5e6;
    const directoryOf = directory(t);
    const path = join(directoryOf, 'traces');
    const tables = new TraceTables(path, maxBytes);
    t.after(() => tables.close());
    const batch = (n: number) =>
      Array.from({ length: 200 }, (_, m) => ({
        name: 'x',
        startMs: startMs + n * 200 + m,
        attributes: { token: newTraceId(), sort: n },
      }));
    for (let n = 0; n < 60; n++) writeAndMerge(tables, tracesRequest(batch(n)));
    assert.ok(tables.held < 10_000, `${tables.held} of 12,000`);
    assert.ok(tables.held > 1000);
    assert.ok(statSync(path).size < maxBytes * 1.5, `${statSync(path).size} bytes`);
    assert.equal(list(tables, { q: 'sort=0' }).total, 0);
    assert.equal(list(tables, { q: 'sort=59' }).total, 200);
    assert.equal(list(tables, 'limit=1').rows[0]!.startMs, startMs + 11_999);
  });

  it('stays within its bound at any rate, and when the bound has become a smaller one', (t) => {
    const path = join(directory(t), 'traces');
    const batch = (n: number, count: number) =>
      tracesRequest(
        Array.from({ length: count }, (_, m) => ({
          name: 'x',
          startMs: startMs + n * 5000 + m,
          attributes: { token: newTraceId() },
        })),
      );
    // Of a clock that is years ahead: it stays, and what came with it goes.
    const far = tracesRequest([{ name: 'far', startMs: startMs + 1e12 }]);
    const bound = 2e6;
    let tables = new TraceTables(path, bound);
    tables.write(far);
    for (let n = 0; n < 12; n++) writeAndMerge(tables, batch(n, 2000));
    assert.ok(tables.held < 20_000, `${tables.held} of 24,001`);
    tables.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    assert.ok(statSync(path).size < bound * 1.5, `${statSync(path).size} bytes`);
    const blocks = Number(tables.get('SELECT count(*) AS count FROM block')!.count);
    assert.ok(blocks < 12, `${blocks} blocks`);
    const { held } = tables;
    tables.close();
    tables = new TraceTables(path, bound / 4);
    t.after(() => tables.close());
    assert.equal(tables.held, held);
    assert.equal(list(tables, {}).total, held);
    for (let n = 12; n < 200 && statSync(path).size > bound / 2; n++) {
      writeAndMerge(tables, batch(n, 50));
      tables.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    }
    assert.ok(statSync(path).size <= bound / 2, `${statSync(path).size} bytes, ${tables.held} held`);
    assert.equal(list(tables, { q: 'name:far' }).total, 1);
  });

  it('merges its index in small steps, none of which is part of a write', (t) => {
    const tables = tablesIn(t);
    const segments = () => Number(tables.get('SELECT count(DISTINCT segid) AS count FROM terms_idx')!.count);
    const changes = () => Number(tables.get('SELECT total_changes() AS count')!.count);
    const words = Array.from({ length: 40 }, (_, n) => `word${n}`).join(' ');
    for (let n = 0; n < 40; n++)
      tables.write(
        tracesRequest(
          Array.from({ length: 50 }, (_, m) => ({
            name: words,
            startMs: startMs + n * 1000 + m,
            attributes: { order: newTraceId() },
          })),
        ),
      );
    assert.equal(segments(), 40);
    const steps: number[] = [];
    for (let before = changes(); tables.merge(); before = changes()) steps.push(changes() - before);
    assert.ok(steps.length > 1, `${steps.length} steps`);
    assert.ok(Math.max(...steps) < 400, `${steps} changes`);
    assert.ok(segments() < 10, `${segments()} segments`);
    assert.equal(list(tables, 'q=word7').total, 2000);
  });

  it('holds a list without reading the rows of all', (t) => {
    const tables = tablesIn(t);
    const write = (count: number, at: number) =>
      tables.write(tracesRequest(Array.from({ length: count }, (_, n) => ({ startMs: at + n }))));
    write(3000, startMs);
    const until = String(tables.lastSequence);
    write(20, startMs + 5000);
    write(20, startMs - 5000);
    const asked = new Map<string, []>();
    const { get } = tables;
    t.mock.method(tables, 'get', (sql: string, ...values: []) => {
      asked.set(sql, values);
      return get.call(tables, sql, ...values);
    });
    const { total, newer } = list(tables, { until, plot: '1' });
    assert.deepEqual([total, newer], [3000, 40]);
    const ofTraces = [...asked].filter(([sql]) => /(count|min)\(/.test(sql));
    assert.equal(ofTraces.length, 3, 'the oldest that is newer, how many are, and all');
    for (const [sql, values] of ofTraces) {
      const plan = tables.all(`EXPLAIN QUERY PLAN ${sql}`, ...values).map(({ detail }) => String(detail));
      assert.ok(
        plan.some((detail) => /COVERING INDEX|SEARCH trace USING INTEGER PRIMARY KEY/.test(detail)),
        `${sql}: ${plan}`,
      );
    }
  });

  it('holds a list still by what was found, without looking for it again', (t) => {
    const tables = tablesIn(t);
    tables.write(tracesRequest(Array.from({ length: 2000 }, (_, n) => ({ name: 'x', startMs: startMs + n }))));
    const lists = new DatabaseLists(tables);
    const asked = new URLSearchParams({ q: 'name:x', until: `${tables.lastSequence}`, limit: '1' });
    const first = lists.view(asked);
    const counts: string[] = [];
    const { get } = tables;
    t.mock.method(tables, 'get', (sql: string, ...values: []) => {
      if (sql.includes('count(*)')) counts.push(sql);
      return get.call(tables, sql, ...values);
    });
    assert.equal(lists.view(asked).total, first.total);
    assert.deepEqual(counts, []);
  });
});

describe("the viewer's database", { skip: !hasSqlite && 'this Node.js has no node:sqlite' }, () => {
  const start = (t: TestContext, options: ViewerOptions) =>
    startViewer({ httpPort: 0, grpcPort: 0, ...options }).then((viewer) => {
      let closed: Promise<void> | undefined;
      const close = () => (closed ??= viewer.close());
      t.after(close);
      return {
        ...viewer,
        close,
        get: async <Answer>(path: string) => (await (await fetch(viewer.otlpHttpUrl + path)).json()) as Answer,
      };
    });

  it('keeps more than memory holds, and over a restart', async (t) => {
    const options = { file: join(directory(t), 'traces'), limits: { maxTraces: 50 } };
    const first = await start(t, options);
    const traceId = newTraceId();
    const resource = { 'service.name': 'shop', 'cluster.worker.slot': 3 };
    await send(first.otlpHttpUrl, [{ traceId, name: 'long ago', attributes: { note: 'remember' } }], resource);
    const linking = newTraceId();
    const links = [{ traceId, spanId: 'ab'.repeat(8) }];
    await send(first.otlpHttpUrl, [{ traceId: linking, name: 'follows', links }]);
    for (let n = 0; n < 10; n++)
      await send(
        first.otlpHttpUrl,
        Array.from({ length: 20 }, () => ({ name: 'later' })),
      );
    await first.close();
    assert.equal(statSync(options.file).mode & 0o777, 0o600);
    const second = await start(t, options);
    assert.equal(second.store.traces.size, 50, 'memory has what came last');
    assert.equal((await second.get<TraceListView>('/api/traces')).held, 202);
    const { rows } = await second.get<TraceListView>('/api/traces?q=remember');
    assert.deepEqual([rows[0]!.id, rows[0]!.slots], [traceId, [3]]);
    const trace = await second.get<TraceView>(`/api/traces/${traceId}`);
    assert.equal(trace.name, 'long ago');
    const linked = await second.get<LinkedSpanView[]>(`/api/traces/${traceId}/linked`);
    assert.deepEqual(linked, [
      { traceId: linking, spanId: linked[0]!.spanId, name: 'follows', toSpanId: 'ab'.repeat(8) },
    ]);
    assert.equal((await fetch(`${second.otlpHttpUrl}/api/clear`, { method: 'POST' })).status, 204);
    assert.equal((await second.get<TraceListView>('/api/traces')).held, 0);
    assert.equal((await fetch(`${second.otlpHttpUrl}/api/traces/${traceId}`)).status, 404);
  });

  it('merges its index while nothing is asked of it', async (t) => {
    const path = join(directory(t), 'traces');
    const database = await TraceDatabase.open(path, 1e9, new TraceStore());
    // Each is written at once, as it is large.
    const note = 'x'.repeat(600_000);
    for (let n = 0; n < 12; n++) database.append(tracesRequest([{ startMs: startMs + n, attributes: { note } }]));
    await written(database, 12);
    const { signal } = new AbortController();
    for (let n = 0; n < 20; n++) assert.equal((await database.list(new URLSearchParams('limit=1'), signal)).total, 12);
    await database.close();
    const tables = new TraceTables(path, 1e9);
    t.after(() => tables.close());
    const segments = Number(tables.get('SELECT count(DISTINCT segid) AS count FROM terms_idx')!.count);
    assert.ok(segments < 4, `${segments} segments`);
    assert.equal(list(tables, {}).total, 12);
  });

  it('answers before all that waits is written, and writes all of it', async (t) => {
    const path = join(directory(t), 'traces');
    const database = await TraceDatabase.open(path, 1e9, new TraceStore());
    const note = 'x'.repeat(300_000);
    const count = 60;
    for (let n = 0; n < count; n++) database.append(tracesRequest([{ startMs: startMs + n, attributes: { note } }]));
    const { total } = await database.list(new URLSearchParams('limit=1'), new AbortController().signal);
    assert.ok(total < count / 2, `after ${total} of ${count} writes`);
    await database.close();
    assert.equal(database.unwritten, 0);
    const tables = new TraceTables(path, 1e9);
    t.after(() => tables.close());
    assert.equal(tables.held, count);
  });

  it('does not look further for what nobody waits for any longer', async (t) => {
    const store = new TraceStore();
    const database = await TraceDatabase.open(join(directory(t), 'traces'), 1e9, store);
    t.after(() => database.close());
    for (let n = 0; n < 10; n++)
      database.append(
        tracesRequest(Array.from({ length: 2000 }, (_, m) => ({ name: 'x', startMs: startMs + n * 2000 + m }))),
      );
    await written(database, 20_000);
    const slow = new URLSearchParams({ q: '-nothing.like:this -"two words"' });
    const gone = new AbortController();
    const asked = Array.from({ length: 40 }, () => database.list(slow, gone.signal));
    gone.abort();
    const last = database.list(new URLSearchParams({ q: 'name:x', limit: '1' }), new AbortController().signal);
    const given = await Promise.allSettled(asked);
    assert.equal((await last).total, 20_000);
    // The first may have begun, and ends early; the others are not begun.
    const [first, ...others] = given;
    assert.ok(first!.status === 'rejected' || first!.value.more || first!.value.total === 20_000);
    assert.deepEqual(new Set(others.map(({ status }) => status)), new Set(['rejected']));
  });

  it('says from when on Routes and Map know, which are of what memory holds', async (t) => {
    const options = { file: join(directory(t), 'traces'), limits: { maxTraces: 50 } };
    const viewer = await start(t, options);
    const now = Date.now();
    const requests = (from: number, count: number, error = false) =>
      send(
        viewer.otlpHttpUrl,
        Array.from({ length: count }, (_, n) => ({
          name: 'GET /',
          kind: 2,
          startMs: now - 60_000 + (from + n) * 100,
          durationMs: 1,
          error,
        })),
      );
    const routes = () => viewer.get<RoutesView>('/api/routes');
    await requests(0, 20, true);
    await requests(20, 20);
    assert.equal((await routes()).sinceMs, undefined);
    await requests(40, 160);
    const { sinceMs, routes: rows } = await routes();
    assert.equal(sinceMs, now - 60_000 + 170 * 100 + 1);
    assert.deepEqual([rows[0]!.requests, rows[0]!.errors], [30, 0], 'errors that stayed longer are of another time');
    assert.ok(Math.abs(rows[0]!.rate - 10) < 0.5, `${rows[0]!.rate} a second`);
    assert.equal((await viewer.get<ServiceMapView>('/api/map')).sinceMs, sinceMs);
    await viewer.close();
    const again = await start(t, options);
    assert.ok((await again.get<RoutesView>('/api/routes')).sinceMs! > 0, 'the file has more than memory');
  });

  it('leaves the viewer at 250 MB when memory is full of spans and logs, and the file is searched', {
    skip: !existsSync('/proc/self/status'),
    timeout: 240_000,
  }, async (t) => {
    // Counting coverage takes memory of its own.
    delete process.env.NODE_V8_COVERAGE;
    const command = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
    const file = join(directory(t), 'traces');
    const args = [command, 'viewer', '--json', '--http-port', '0', '--grpc-port', '0', '--file', file];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill('SIGKILL'));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { otlpHttpUrl } = JSON.parse(line.toString());
    const searches = ['', '?plot=1', '?q=-step:1', '?q=step%3D2&plot=1', '?q=route:/orders&plot=1', '?offset=9000'];
    const logRecords = Array.from({ length: 1000 }, (_, n) => ({
      timeUnixNano: '1700000000000000000',
      severityNumber: 9,
      body: { stringValue: `order ${n} has been paid` },
      attributes: keyValues({ 'user.id': `u-${n}`, items: n, 'code.function.name': 'checkout' }),
    }));
    const logs = encode({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }, LogsRequest);
    let most = 0;
    for (let n = 0; n < 48; n++) {
      await send(
        otlpHttpUrl,
        Array.from({ length: 500 }, newTraceId).flatMap((traceId) => [
          { traceId, kind: 2, name: 'GET /orders', attributes: { 'http.route': '/orders', 'order.id': traceId } },
          ...[1, 2, 3].map((step) => ({ traceId, name: 'step', attributes: { step } })),
        ]),
      );
      const headers = { 'content-type': 'application/x-protobuf' };
      await fetch(`${otlpHttpUrl}/v1/logs`, { method: 'POST', headers, body: logs });
      if (n % 4 === 0) await fetch(`${otlpHttpUrl}/api/traces${searches[(n / 4) % searches.length]}`);
      most = Math.max(
        most,
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1024,
      );
    }
    const { evictedSpans } = (await (await fetch(`${otlpHttpUrl}/api/state`)).json()) as StateView;
    assert.ok(evictedSpans > 20_000, 'memory is full');
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
    assert.ok(most <= 250e6, `${most} bytes`);
  });

  it('is not the database of something else, nor one that is in use', async (t) => {
    const file = join(directory(t), 'traces');
    const first = await start(t, { file });
    await assert.rejects(startViewer({ httpPort: 0, grpcPort: 0, file }), { code: 'FORKTRACE_VIEWER_FILE' });
    await first.close();
    const bytes = readFileSync(file);
    // The application id in the header of the file.
    bytes.writeUInt32BE(7, 68);
    writeFileSync(file, bytes);
    await assert.rejects(startViewer({ httpPort: 0, grpcPort: 0, file }), { code: 'FORKTRACE_VIEWER_FILE' });
  });
});
