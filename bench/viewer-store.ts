/**
 * The viewer's database: writes 100 traces a second of hours, as fast as they are taken, then measures
 * searches of all of it, as one table.
 *
 *   npm run bench:viewer-store -- [thousands of traces] [file] [minutes]
 *
 * 8640 are a day. A file that is named is kept, and gets what it has not when there is one, for so many
 * minutes at most (default: 60): what is then there is searched, and the table says of how many hours. A
 * trace is four spans of two services; each has an order's number of its own, one in a hundred has failed.
 * How it is at its limit is measured in a smaller file.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DatabaseLists } from '#src/viewer/database/database-lists.js';
import { TraceTables } from '#src/viewer/database/trace-tables.js';
import { encode } from '#src/wire/encode.js';
import { TracesRequest } from '#src/wire/otlp.js';
import type { AnyValue, KeyValue, OtlpSpan } from '#src/wire/otlp-json.js';

const A_SECOND = 100;
const DAY = 24 * 3600 * A_SECOND;
const TEMPLATES = 50;
const ROUNDS = 5;
const AT_LIMIT = 200_000;
const count = Number(process.argv[2] ?? 1000) * 1000;
const minutes = Number(process.argv[4] ?? 60);

/** What stands in a template for what is new in each trace. */
const ID = Buffer.from('deadbeefdeadbeef', 'hex');
const ORDER = Buffer.from('order-deadbeef');
const EPOCH_NS = 0x7eadbeef00000000n;

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');

async function run(path: string, scratch: string): Promise<void> {
  console.log(`| measured, Node.js ${process.version} | |\n|---|---|`);
  fillFile(path);
  const size = statSync(path).size;
  const began = performance.now();
  const tables = new TraceTables(path, Number.POSITIVE_INFINITY);
  say('opened', `in ${Math.round(performance.now() - began)} ms`);
  say('file', `${(size / 1e9).toFixed(2)} GB, ${Math.round(size / tables.held)} bytes a trace`);
  const queries = queriesOf(tables);
  searches(tables, queries);
  tables.close();
  await searchesOfViewer(path, queries);
  atItsLimit(join(scratch, 'at-limit'));
}

/** Of what the file has not yet. */
function fillFile(path: string): void {
  const tables = new TraceTables(path, Number.POSITIVE_INFINITY);
  const first = tables.get('SELECT min(key) AS key FROM trace')?.key;
  const startMs = first == null ? Date.now() - (count / A_SECOND) * 1000 : Number(first) / 1000;
  const { held } = tables;
  const cpu = process.cpuUsage();
  const { wallMs, longestMs } = write(tables, held, count, startMs, minutes);
  const { user, system } = process.cpuUsage(cpu);
  const total = tables.held;
  const written = total - held;
  tables.close();
  say('traces', `${total.toLocaleString('en')} (${((total / DAY) * 24).toFixed(1)} h of ${A_SECOND} a second)`);
  if (written === 0) return;
  say(
    'write, a trace of 4 spans',
    `${((user + system) / written).toFixed(1)} µs CPU, ${((wallMs * 1000) / written).toFixed(1)} µs`,
  );
  say('the longest step, a write of 100 or a merge', `${Math.round(longestMs)} ms CPU`);
}

function write(
  tables: TraceTables,
  from: number,
  to: number,
  startMs: number,
  minutesAtMost = Number.POSITIVE_INFINITY,
): { wallMs: number; longestMs: number } {
  const templates = Array.from({ length: TEMPLATES }, (_, n) => template(n));
  const began = performance.now();
  let longestMs = 0;
  for (let n = from; n < to && performance.now() - began < minutesAtMost * 60_000; n += A_SECOND) {
    const request = fill(templates[(n / A_SECOND) % TEMPLATES]!, startMs + (n / A_SECOND) * 1000, n);
    longestMs = Math.max(
      longestMs,
      cpuMsOf(() => tables.write(request)),
    );
    for (let more = true; more; ) {
      const stepMs = cpuMsOf(() => {
        more = tables.merge();
      });
      longestMs = Math.max(longestMs, stepMs);
    }
  }
  return { wallMs: performance.now() - began, longestMs };
}

/** What others do on the machine is no part of it. */
function cpuMsOf(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Half as many again arrive in a file that is full. */
function atItsLimit(path: string): void {
  const startMs = Date.now() - (AT_LIMIT / A_SECOND) * 1000;
  const filled = new TraceTables(path, Number.POSITIVE_INFINITY);
  write(filled, 0, AT_LIMIT, startMs);
  filled.close();
  const maxBytes = statSync(path).size;
  const tables = new TraceTables(path, maxBytes);
  const more = AT_LIMIT / 2;
  const cpu = process.cpuUsage();
  const { longestMs } = write(tables, AT_LIMIT, AT_LIMIT + more, startMs);
  const { user, system } = process.cpuUsage(cpu);
  say(
    'in a file that is full',
    `${((user + system) / more).toFixed(1)} µs CPU a trace, the longest step ${Math.round(longestMs)} ms CPU`,
  );
  const { held } = tables;
  tables.close();
  const share = ((statSync(path).size / maxBytes) * 100).toFixed(1);
  say('then', `${share} % of its limit, ${held.toLocaleString('en')} of ${AT_LIMIT.toLocaleString('en')} held`);
}

type Query = Record<string, string>;

/** Kinds of searches, each with what it is called. */
function queriesOf(tables: TraceTables): [label: string, query: Query][] {
  const startMs = Number(tables.get('SELECT min(key) AS first FROM trace')!.first) / 1000;
  const hour = { from: String(startMs), to: String(startMs + 3_600_000) };
  const until = String(tables.lastSequence);
  return [
    ['newest', {}],
    ['newest, with the plot of all', { plot: '1' }],
    ['one in the middle', { q: `order-${hex(tables.held >> 1, 8)}` }],
    ['a word of every trace', { q: 'checkout' }],
    ['how every order begins', { q: 'order-000' }],
    ['the same, as one word', { q: '000' }],
    ['its first digit', { q: '0' }],
    ['a word of none', { q: 'nowhere' }],
    ['two words and a route', { q: 'declined card route:/checkout' }],
    ['every code of a server error', { q: 'status>=500', plot: '1' }],
    ['errors, with their plot', { q: 'status:error', plot: '1' }],
    ['interrupted, of which there are none', { q: 'status:interrupted', plot: '1' }],
    ['a route and a status', { q: 'route:/checkout status>=500' }],
    ['a route and a status that never meet', { q: 'route:/orders/7 status:503' }],
    ['slow ones of a worker', { q: 'duration>1s worker:2' }],
    ['a service, a worker, and no route', { q: 'service:bank worker:3 -route:/checkout', plot: '1' }],
    ['all but a route', { q: '-route:/orders' }],
    ['an attribute that is', { q: 'outcome="card was declined"', plot: '1' }],
    ['an attribute that has', { q: 'order.id:order-0001', plot: '1' }],
    ['a number of an attribute', { q: 'cart.items>7' }],
    ['an hour of the oldest', { ...hour, plot: '1' }],
    ['a word, and an hour of the oldest', { ...hour, q: 'checkout', plot: '1' }],
    ['a rare word, and an hour of the oldest', { ...hour, q: 'declined', plot: '1' }],
    ['the last page of a list', { offset: '99800' }],
    ['the last page of a filtered list', { q: 'checkout', offset: '99800' }],
    ['held still', { until, plot: '1' }],
    ['held still, filtered', { until, q: 'checkout', plot: '1' }],
    ['held still, its last page', { until, q: 'checkout', offset: '99800' }],
  ];
}

function searches(tables: TraceTables, queries: ReturnType<typeof queriesOf>): void {
  const lists = new DatabaseLists(tables);
  for (const [label, query] of queries) {
    const times: number[] = [];
    let found = '';
    let firstMs = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const at = performance.now();
      const cpuMs = cpuMsOf(() => {
        const { total, more, searchedToMs } = lists.view(new URLSearchParams({ limit: '200', ...query }));
        found = `${total.toLocaleString('en')}${more ? '+' : ''} found${searchedToMs ? ', not all looked at' : ''}`;
      });
      if (round === 0) firstMs = performance.now() - at;
      times.push(cpuMs);
    }
    const most = Math.round(Math.max(...times));
    say(label, `${most} ms CPU at most of ${ROUNDS}, the first took ${Math.round(firstMs)} ms, ${found}`);
  }
}

/** All of them asked of the viewer itself, while it receives what it is meant to. */
async function searchesOfViewer(path: string, queries: ReturnType<typeof queriesOf>): Promise<void> {
  const command = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
  const args = [command, 'viewer', '--json', '--http-port', '0', '--grpc-port', '0', '--file', path];
  const viewer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [line] = (await once(viewer.stdout, 'data')) as [Buffer];
    const { otlpHttpUrl } = JSON.parse(line.toString()) as { otlpHttpUrl: string };
    const templates = Array.from({ length: TEMPLATES }, (_, n) => template(n));
    let refused = 0;
    let second = 0;
    const arriving = setInterval(async () => {
      const body = fill(templates[second % TEMPLATES]!, Date.now(), second * A_SECOND);
      second++;
      const headers = { 'content-type': 'application/x-protobuf' };
      const answer = await fetch(`${otlpHttpUrl}/v1/traces`, { method: 'POST', headers, body });
      if (!answer.ok) refused++;
    }, 1000);
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      for (const [, query] of queries) {
        const at = performance.now();
        const answer = await fetch(`${otlpHttpUrl}/api/traces?${new URLSearchParams({ limit: '200', ...query })}`);
        await answer.arrayBuffer();
        if (!answer.ok) throw new Error(`${JSON.stringify(query)}: ${answer.status}`);
        times.push(performance.now() - at);
      }
    }
    clearInterval(arriving);
    times.sort((a, b) => a - b);
    const share = (of: number) => Math.round(times[Math.ceil(of * times.length) - 1]!);
    say(
      `all of these, asked of the viewer while ${A_SECOND} traces a second arrive`,
      `half within ${share(0.5)} ms, 95 % within ${share(0.95)} ms, all within ${share(1)} ms${refused ? `, ${refused} requests refused` : ''}`,
    );
    say('memory of the viewer then, at most', peakOf(viewer.pid!));
  } finally {
    const exited = once(viewer, 'exit');
    viewer.kill();
    await exited;
  }
}

function peakOf(pid: number): string {
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1];
  return `${Math.round(Number(peak) / 1000)} MB`;
}

function say(label: string, value: string): void {
  console.log(`| ${label} | ${value} |`);
}

interface Template {
  bytes: Buffer;
  ids: number[];
  orders: number[];
  times: { at: number; offsetNs: bigint }[];
}

function template(number: number): Template {
  const text = (value: string): AnyValue => ({ stringValue: value });
  const int = (value: number): AnyValue => ({ intValue: String(value) });
  const attributes = (values: Record<string, AnyValue>): KeyValue[] =>
    Object.entries(values).map(([key, value]) => ({ key, value }));
  const shop: OtlpSpan[] = [];
  const bank: OtlpSpan[] = [];
  for (let n = 0; n < A_SECOND; n++) {
    const traceId = `${ID.toString('hex')}${hex(n, 16)}`;
    const failed = n === 42;
    const slow = n === 77 && number % 10 === 0;
    const span = (id: number, name: string, kind: number, more: Record<string, AnyValue>): OtlpSpan => {
      const fromNs = EPOCH_NS + BigInt(n * 10_000_000 + id * 1_000_000);
      const tookNs = BigInt((slow ? 3_000 : 10 - id) * 1_000_000);
      return {
        traceId,
        spanId: hex(n * 16 + id + 1, 16),
        parentSpanId: id === 0 ? '' : hex(n * 16 + 1, 16),
        name,
        kind,
        startTimeUnixNano: fromNs.toString(),
        endTimeUnixNano: (fromNs + tookNs).toString(),
        attributes: attributes(more),
        status: { code: failed && id === 0 ? 2 : 0 },
      };
    };
    const route = n % 3 === 0 ? '/checkout' : `/orders/${n % 20}`;
    const status = failed ? (number % 2 ? 500 : 502) : 200;
    const order = text(ORDER.toString());
    shop.push(
      span(0, `POST ${route}`, 2, {
        'http.request.method': text('POST'),
        'http.route': text(route),
        'url.path': text(`/checkout`),
        'http.response.status_code': int(status),
        'user_agent.original': text('Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0'),
        'client.address': text(`10.0.${number}.${n}`),
      }),
      span(1, 'cart.load', 1, { 'order.id': order, 'cart.items': int(n % 10) }),
      span(2, 'SELECT orders', 3, {
        'db.system.name': text('postgresql'),
        'db.query.text': text('SELECT id, customer, total FROM orders WHERE id = $1'),
      }),
    );
    bank.push(span(3, 'charge', 2, { 'order.id': order, outcome: text(failed ? 'card was declined' : 'paid') }));
  }
  const from = (service: string, spans: OtlpSpan[]) => ({
    resource: {
      attributes: attributes({
        'service.name': text(service),
        'service.instance.id': text(`${service}-${number % 4}`),
        'process.pid': int(4000 + (number % 4)),
        'cluster.worker.slot': int(number % 4),
        'host.name': text('web-1'),
      }),
    },
    scopeSpans: [{ scope: { name: 'bench' }, spans }],
  });
  const bytes = encode({ resourceSpans: [from('shop', shop), from('bank', bank)] }, TracesRequest);
  return { bytes, ids: places(bytes, ID), orders: places(bytes, ORDER), times: timesIn(bytes) };
}

function places(bytes: Buffer, what: Buffer): number[] {
  const found: number[] = [];
  for (let at = bytes.indexOf(what); at !== -1; at = bytes.indexOf(what, at + 1)) found.push(at);
  return found;
}

/** Times are near {@link EPOCH_NS}: their high bytes are those. */
function timesIn(bytes: Buffer): Template['times'] {
  const high = Buffer.alloc(4);
  high.writeUInt32LE(Number(EPOCH_NS >> 32n));
  return places(bytes, high)
    .filter((at) => at >= 4)
    .map((at) => ({ at: at - 4, offsetNs: bytes.readBigUInt64LE(at - 4) - EPOCH_NS }));
}

/** A template as it comes at `atMs`. */
function fill({ bytes, ids, orders, times }: Template, atMs: number, number: number): Buffer {
  const request = Buffer.from(bytes);
  const id = randomFillSync(Buffer.alloc(ID.length));
  for (const at of ids) id.copy(request, at);
  // An order is of two spans of one trace: those of the one service, then those of the other.
  for (const [n, at] of orders.entries()) request.write(hex(number + (n % A_SECOND), 8), at + ORDER.length - 8);
  const epochNs = BigInt(Math.floor(atMs)) * 1_000_000n;
  for (const { at, offsetNs } of times) request.writeBigUInt64LE(epochNs + offsetNs, at);
  return request;
}

const scratch = mkdtempSync(join(tmpdir(), 'forktrace-viewer-store-'));
try {
  await run(process.argv[3] ?? join(scratch, 'traces'), scratch);
} finally {
  rmSync(scratch, { recursive: true });
}
