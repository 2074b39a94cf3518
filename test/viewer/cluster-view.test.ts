import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import type { ClusterView, LaneView } from '#src/viewer/api-types/cluster.js';
import { ClusterHistory } from '#src/viewer/store/cluster-history.js';
import { MetricStore } from '#src/viewer/store/metric-store.js';
import { TraceStore } from '#src/viewer/store/trace-store.js';
import { clusterView } from '#src/viewer/views/cluster-view.js';
import { requestSpans, workerResource, workerStart } from './cluster-feed.js';
import { type FeedSpan, type Plain, tracesRequest } from './otlp-feed.js';

function cluster() {
  const store = new TraceStore();
  const history = new ClusterHistory();
  store.onSpan((span, trace) => history.add(span, trace));
  return {
    take: (spans: FeedSpan[], resource?: Record<string, Plain>) => store.ingest(tracesRequest(spans, resource)),
    view: (query = '', now = Date.now()): ClusterView =>
      JSON.parse(JSON.stringify(clusterView(history, new MetricStore(), new URLSearchParams(query), now))),
  };
}

const coordinator = (id: string, more: Record<string, Plain> = {}) => ({
  'service.name': 'shop',
  'service.instance.id': id,
  'host.name': 'laptop',
  ...more,
});
const worker = (slot: number, pid: number, incarnation = 0) => ({ slot, pid, incarnation });
const states = (view: ClusterView) => view.lanes.map(({ slot, state, earlier }: LaneView) => [slot, state, earlier]);

describe('the cluster view', () => {
  it('counts all requests of a lane, however many: none is taken for idle time', () => {
    const { take, view } = cluster();
    const now = Date.now();
    for (let part = 0; part < 10; part++) {
      const spans: FeedSpan[] = [];
      for (let n = 0; n < 2000; n++) {
        const startMs = now - 50_000 + part * 5000 + n * 2.5;
        const status = n % 100 === 0 ? 500 : 200;
        spans.push(...requestSpans({ startMs, durationMs: n % 2 === 0 ? 4 : 40, status }));
      }
      take(spans, workerResource(worker(0, 1)));
    }
    const [lane] = view('', now).lanes;
    assert.equal(lane!.stats.requests, 20_000);
    assert.equal(lane!.stats.errors, 200);
    assert.equal(lane!.requests, undefined);
    const { columns } = lane!;
    assert.equal(
      columns!.requests.reduce((sum, count) => sum + count, 0),
      20_000,
    );
    assert.equal(columns!.stepMs, 250);
    // No gap: every quarter of a second of the fifty has its requests.
    assert.ok(columns!.requests.length >= 200 && columns!.requests.every((count) => count > 0));
    assert.ok(Math.abs(lane!.stats.p50Ms! - 4) < 0.5, `${lane!.stats.p50Ms}`);
    assert.ok(Math.abs(lane!.stats.p95Ms! - 40) < 5, `${lane!.stats.p95Ms}`);
    // A wider window has wider columns, and the same requests.
    const [hour] = view('window=3600000', now).lanes;
    assert.equal(hour!.columns!.stepMs, 15_000);
    assert.equal(hour!.stats.requests, 20_000);
  });

  it('tells running, stopped, dead and gone apart; a process that was killed with its coordinator is gone', async () => {
    const { take, view } = cluster();
    const now = Date.now();
    const processes = [0, 1].map(() => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']));
    const [running, killed] = processes.map((child) => child.pid!);
    const here = { 'host.name': hostname() };
    const exit = (slot: number, planned: boolean, cause: string): FeedSpan => ({
      name: 'worker.exit',
      startMs: now - 5000,
      attributes: {
        'cluster.worker.slot': slot,
        'cluster.worker.pid': 50 + slot,
        'cluster.worker.incarnation': 0,
        'forktrace.exit.planned': planned,
        'forktrace.exit.cause': cause,
      },
    });
    take(
      [
        workerStart(worker(0, running!), now - 30_000, 100),
        workerStart(worker(1, killed!), now - 30_000, 100),
        workerStart(worker(2, 52), now - 30_000, 100),
        workerStart(worker(3, 53), now - 30_000, 100),
        exit(2, true, 'scale'),
        exit(3, false, 'heap_out_of_memory'),
      ],
      coordinator('c', here),
    );
    assert.deepEqual(states(view()), [
      [0, 'up', false],
      [1, 'up', false],
      [2, 'stopped', false],
      [3, 'dead', false],
    ]);
    const exited = once(processes[1]!, 'exit');
    processes[1]!.kill('SIGKILL');
    await exited;
    assert.deepEqual(states(view())[1], [1, 'gone', false]);
    assert.equal(view().lanes[3]!.incarnations[0]!.exit!.cause, 'heap_out_of_memory');
    processes[0]!.kill('SIGKILL');
    await once(processes[0]!, 'exit');
    assert.equal(states(view())[0]![1], 'gone');
  });

  it('says that a process of another machine is silent when nothing has come for a minute', () => {
    const { take, view } = cluster();
    const now = Date.now();
    take([workerStart(worker(0, 1), now - 120_000, 100)], coordinator('c'));
    assert.deepEqual(states(view('', now)), [[0, 'silent', false]]);
    take(requestSpans({ startMs: now - 10, durationMs: 5 }), workerResource(worker(0, 1)));
    assert.deepEqual(states(view('', now)), [[0, 'up', false]]);
  });

  it("sets an earlier cluster's lanes apart from those of the one that runs", () => {
    const { take, view } = cluster();
    const now = Date.now();
    take(
      [0, 1, 2].map((slot) => workerStart(worker(slot, 10 + slot), now - 300_000, 100)),
      coordinator('first'),
    );
    take([workerStart(worker(0, 20), now - 20_000, 100)], coordinator('second'));
    assert.deepEqual(states(view('window=900000', now)), [
      [0, 'up', false],
      [1, 'silent', true],
      [2, 'silent', true],
    ]);
    assert.equal(view('window=900000', now).lanes[0]!.incarnations.length, 2);
  });

  it('keeps two machines apart, and a service when it is asked for', () => {
    const { take, view } = cluster();
    const startMs = Date.now() - 100;
    for (const host of ['a', 'b']) {
      take(requestSpans({ startMs, durationMs: 5 }), { ...workerResource(worker(0, 1)), 'host.name': host });
    }
    take(requestSpans({ startMs, durationMs: 5 }), workerResource(worker(0, 1), 'pay'));
    assert.deepEqual(
      view().lanes.map(({ service, host }) => [service, host]),
      [
        ['pay', 'laptop'],
        ['shop', 'a'],
        ['shop', 'b'],
      ],
    );
    assert.deepEqual(
      view('service=pay').lanes.map(({ service }) => service),
      ['pay'],
    );
    assert.deepEqual(view('service=pay').services, ['pay', 'shop']);
  });

  it('shows a crash-loop breaker until it is closed', () => {
    const { take, view } = cluster();
    const now = Date.now();
    const breaker = (state: string, atMs: number): FeedSpan => ({
      name: 'cluster.breaker',
      startMs: atMs,
      attributes: { 'cluster.breaker.state': state },
    });
    take([breaker('open', now - 5000)], coordinator('c'));
    assert.deepEqual(
      view('', now).breakers.map(({ service, state }) => [service, state]),
      [['shop', 'open']],
    );
    // Late, and older than what is known.
    take([breaker('closed', now - 9000)], coordinator('c'));
    assert.equal(view('', now).breakers.length, 1);
    take([breaker('closed', now - 1000)], coordinator('c'));
    assert.deepEqual(view('', now).breakers, []);
  });

  it('shows a process in no slot after those with one, and only while it says something', () => {
    const { take, view } = cluster();
    const now = Date.now();
    const job = { 'service.name': 'shop', 'service.instance.id': 'job', 'process.pid': 5, 'host.name': 'laptop' };
    take(requestSpans({ startMs: now - 5000, durationMs: 5 }), job);
    take(requestSpans({ startMs: now - 5000, durationMs: 5 }), workerResource(worker(0, 1)));
    assert.deepEqual(
      view('', now).lanes.map(({ slot }) => slot),
      [0, undefined],
    );
    assert.deepEqual(
      view('', now + 600_000).lanes.map(({ slot }) => slot),
      [0],
    );
    assert.deepEqual(view(`to=${now - 60_000}`, now).lanes, [], 'before anything was heard of them');
  });

  it('remembers a bounded number of lanes, lives of a slot, coordinators and events: the oldest go', () => {
    const { take, view } = cluster();
    const now = Date.now();
    for (let n = 0; n < 300; n++) {
      const name = `service-${n}`;
      take(requestSpans({ startMs: now - 1000 + n, durationMs: 1 }), workerResource(worker(0, n), name));
      const own = { ...coordinator(`c-${n}`), 'service.name': name };
      take(
        [
          { name: 'cluster.reload', startMs: now - 1000 + n },
          { name: 'cluster.reload', startMs: now - n },
        ],
        own,
      );
    }
    const { lanes, events } = view('', now);
    assert.deepEqual([lanes.length, events.length], [256, 512]);
    assert.ok(
      !lanes.some(({ service }) => service === 'service-0') && !events.some((event) => event.service === 'service-0'),
    );
    assert.equal(view('service=service-299', now).events.length, 2);
    for (let incarnation = 0; incarnation < 70; incarnation++)
      take(
        requestSpans({ startMs: now - 70 + incarnation, durationMs: 1 }),
        workerResource({ slot: 1, incarnation, pid: 1000 + incarnation }),
      );
    assert.equal(view('service=shop', now).lanes[0]!.incarnations.length, 64);
  });

  it('takes what comes late, and what an interrupted span alone says of an end', () => {
    const { take, view } = cluster();
    const now = Date.now();
    take(requestSpans({ startMs: now - 1000, durationMs: 1 }), workerResource(worker(0, 1)));
    take(requestSpans({ startMs: now - 9000, durationMs: 1 }), workerResource(worker(0, 1)));
    assert.equal(view('', now).lanes[0]!.incarnations[0]!.firstMs, now - 9000);
    const death = { 'forktrace.interrupted': true, 'error.type': 'worker.exit' };
    take(
      [{ name: 'job', startMs: now - 500, durationMs: 100, error: 'worker.exit', attributes: death }],
      workerResource(worker(0, 1)),
    );
    const [life] = view('', now).lanes[0]!.incarnations;
    assert.deepEqual([life!.exit!.cause, life!.exit!.atMs], [undefined, now - 400]);
    assert.equal(life!.exit!.requestsInterrupted, 0, 'a span that is no request interrupts none');
    take([{ name: 'cluster.breaker', startMs: now }], coordinator('c'));
    assert.equal(view('', now).breakers[0]?.state, '', 'a breaker that does not say its state');
  });
});
