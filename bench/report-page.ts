/**
 * docs/benchmarks.md, written from bench/results/.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { numberOf } from '#src/number-of.js';
import { VERDICT_HEAD, type Verdict, verdictRow } from './budgets.js';
import { benchRoot } from './processes.js';
import type { RateRow } from './rate/rounds.js';
import { rateCells } from './rate/table.js';
import {
  type ClusterResults,
  type HttpResults,
  hasResults,
  type KilledResults,
  loadResults,
  type MemoryResults,
  type ProfileResults,
  type RateResults,
  resultsFile,
  type SpanResults,
  type StartResults,
} from './report.js';
import { sideBySide } from './side-by-side.js';

const number = (value: number | undefined, digits: number) => (value === undefined ? '–' : value.toFixed(digits));
const row = (cells: (string | number)[]) => `| ${cells.join(' | ')} |`;
const table = (head: string[], rows: (string | number)[][]) =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

const verdictTable = (verdicts: readonly Verdict[]) =>
  table(
    VERDICT_HEAD,
    verdicts.map((verdict) => verdictRow(verdict, '**short**')),
  );

/** Writes docs/benchmarks.md, and the README's share of it between two comments. */
export function writeReportPage(verdicts: readonly Verdict[]): void {
  writeFileSync(join(benchRoot, '../docs/benchmarks.md'), reportPage(verdicts));
  const readme = join(benchRoot, '../README.md');
  const share = /(<!-- benchmarks:[^>]*-->)[\s\S]*(<!-- \/benchmarks -->)/;
  const text = readFileSync(readme, 'utf8').replace(
    share,
    (_, begin: string, end: string) => `${begin}\n${readmeShare()}\n${end}`,
  );
  writeFileSync(readme, text);
}

export function reportPage(verdicts: readonly Verdict[]): string {
  const { machine } = loadResults<HttpResults>('http-hello-node24');
  return `# Benchmarks

Written by \`npm run bench\` on ${machine.date}; do not edit. Absolute times say little about another machine; the ratios within one run say more.

Machine: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, shared with other work. forktrace ${machine.version}.

## Budgets

${verdictTable(verdicts)}

A budget is held when three quarters of the rounds hold it, because a median near its bound would be held or missed by chance.

![Throughput](charts/throughput.svg)

![CPU](charts/cpu.svg)

${rates()}${starts()}## Method

- At a fixed rate all servers of an app run at the same time, two of each contestant, after 15,000 requests of warm-up each. In a pass
  each contestant serves one window, in turn, so that what is compared is seconds apart; the next pass is of the other servers, and every
  second pair of passes is in reversed order. As many passes as fit into the time are put together into four rounds of neighbours: a round
  has their means, and a ratio is of what two contestants add in the same round to the untraced server. The table has the medians of the
  rounds. A ratio counts as not known when the quartiles of its rounds are further than 15 % from the median.
- Load goes on for 1.2 s before a window, until spans are on their way through gatherings and batches as they will be at its end; the CPU time
  of worker, shipper and all processes that they start is read in nanoseconds at both ends.
- Latencies at fixed rates are of windows of their own, in which the generator never sleeps. Its core is the shipper's and the endpoint's, too,
  so a request counts only where the generator was never more than 1 ms late since nothing was in flight last. Where more than half of
  the requests have met a late generator, there is no figure. The following points are about saturation.
- The server runs in a process of its own on one core. Load generator, OTLP/gRPC sink and shipper run on the other core; generator and sink have
  priority there, because an exporter that waits for its Collector drops spans. Rounds, requests and keep-alive connections are
  stated beside each table.
- Rounds are interleaved in an order that rotates, and each has processes of its own. In each round, a contestant and the untraced
  server take eight turns with an eighth of the requests each, fractions of a second apart, and a ratio compares the two. The table has
  medians, and half the distance between the quartiles (±).
- The generator never sleeps while a server is saturated. On loopback a server pays for waking a sleeping client, and a slower server does so
  more often; over a network it does not.
- CPU time comes from the operating system (\`getrusage\` of the worker, \`/proc/<pid>/task/*/schedstat\` of all processes), so what other
  processes take does not count, except through shared caches.
- "+ all" is the CPU time of worker and shipper, until the last span has arrived at the sink.
- Latency is measured in turns, too, at a fixed rate of 70 % of the untraced server's throughput just before. It is measured from the time at
  which a request was due, so that a stall is not hidden (coordinated omission). The ratio of p99 is the median of the rounds' ratios.
- Start-up is not measured: half a round's requests warm the processes up, and each connection has had a
  response before the clock starts. If start-up still shows, because the first turn takes more than its share of the
  time and more than 7 % of all of it, the run fails and is repeated.
- Before anything is measured, one request of each contestant is followed to the sink, decoded, and its spans and their attributes
  are asserted. For contestants that do not speak OTLP (dd-trace, Sentry, Elastic), only the report of the request is asserted.
- Memory is the proportional set size (\`/proc/<pid>/smaps\`) after a round: pages that processes share, such as the journal's
  segments, count by their share. Node's own code does not count, because all processes share it, and a shipper beside a worker
  would halve the worker's share. "Of it young" is V8's young generation, which V8 sizes itself, by how many objects
  survive its collections; \`--max-semi-space-size\` bounds it.
- All requests are sampled unless stated otherwise. OpenTelemetry is set up as in its "Getting started": \`sdk-node\` with
  \`instrumentation-http\` and the OTLP/gRPC exporter, configured for the stable HTTP attributes, which forktrace sets, too.
- Delivered: the share of the expected spans that the sink has counted.

${shortfalls(verdicts)}## One span

CPU time from start to bytes on Node ${loadResults<SpanResults>('span').node}: forktrace's tracer into the journal's format, OpenTelemetry's
SDK, 2.x and 3.x, through its \`ProtobufTraceSerializer\` in batches of 512.

${spans()}

## One server

${http('http-hello-node24', 'hello-world')}
${http('http-hello-node20', 'hello-world')}
${http('http-express-node24', 'JSON API on Express, 3 child spans')}
${http('http-fastify-node24', 'JSON API on Fastify, 3 child spans')}
${http('http-io-node24', '20 ms of simulated I/O')}
${http('http-not-sampled-node24', 'hello-world, not sampled')}
${profile()}
## A cluster

CPU over all processes of the cluster, the shipper included. Ready is from fork to all workers serving. Each measurement has a cluster
of its own; nothing is pinned, so these ratios are rougher than those above.

${cluster('cluster')}
${cluster('cluster-spans')}
${cluster('cluster-connections')}
## Repeat it

\`\`\`sh
npm ci
npm run bench                                # all of the above but the clusters; at most half an hour
npm run bench -- --headline                   # the first table; 13 minutes
npm run bench:rate -- --apps express --rates 2000 --minutes 1.5
npm run bench:start
npm run bench:memory
npm run bench:span
npm run bench:http -- --app express --rounds 9
npm run bench:http -- --peers --node .node/24/node_modules/node/bin/node --json http-peers-node24
npm run bench:cluster -- --workers 1,2,4
npm run bench:profile -- forktrace-journal-mmap hello
npm run bench:http -- --help                  # each has its options
\`\`\`
`;
}

/** What it costs at rates that every contestant keeps: what a user pays for the same requests. */
function rates(): string {
  const tables = [
    ['rate', 'An application at 2,000 requests a second'],
    ['rate-rates', 'Other rates'],
    ['rate-spans', 'By spans of a request'],
  ].flatMap(([name, title]) => {
    if (!hasResults(name!)) return [];
    const { node, windowMs, rows } = loadResults<RateResults>(name!);
    const cells = rateCells(rows);
    const least = (of: (row: RateRow) => number) => Math.min(...rows.map(of));
    const windows = numberOf(
      least(({ passes, rounds }) => passes ?? rounds),
      'window',
    );
    const rounds = numberOf(
      least((row) => row.rounds),
      'round',
    );
    const how = `Node ${node}, at least ${windows} of ${windowMs / 1000} s for each contestant, in ${rounds}; microseconds of CPU a request.`;
    return [`### ${title}\n\n${how}\n\n${table(cells.head, cells.rows)}\n`];
  });
  return tables.length > 0 ? `## At a fixed rate\n\n${tables.join('\n')}\n` : '';
}

/** Start times, what a kill leaves, and memory, with peers by the same method. */
function starts(): string {
  const parts: string[] = [];
  if (hasResults('start')) {
    const { node, rounds, summary } = loadResults<StartResults>('start');
    const rows = summary.map((one) => [
      one.program,
      one.name,
      one.cpuMs.toFixed(1),
      one.addedMs.toFixed(1),
      one.ratio.toFixed(2),
      ...(one.endMs === undefined ? [] : [one.endMs.toFixed(1)]),
    ]);
    const hasEnds = summary.every(({ endMs }) => endMs !== undefined);
    const ends = hasEnds ? '; then the time from its last statement until its parent is told of its end' : '';
    parts.push(
      `## Start\n\nCPU time up to the first response of a server, to the exit of a tool of ten spans, and of a program that does nothing${ends}; Node ${node}, ${rounds} rounds.\n\n${table(['', '', 'CPU ms', '+ ms', '× untraced', ...(hasEnds ? ['end ms'] : [])], rows)}\n`,
    );
  }
  if (hasResults('killed')) {
    const { node, requests, rows } = loadResults<KilledResults>('killed');
    parts.push(
      `## Killed\n\nA server answers ${requests} requests and gets SIGKILL as soon as the last answer is in; how many of them are reported to the endpoint. Node ${node}.\n\n${table(
        ['', 'requests reported'],
        rows.map(({ name, kept }) => [name, kept]),
      )}\n`,
    );
  }
  if (hasResults('memory')) {
    const { node, options, rows } = loadResults<MemoryResults>('memory');
    const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
    const cells = rows.map((one, index) => [
      one.app === rows[index - 1]?.app ? '' : one.app,
      one.name,
      ...[one.worker, one.young, one.added, one.addedRest, one.shipper].map(megabytes),
      one.shipper === 0 ? '–' : `${(one.shipperIdle * 100).toFixed(2)} %`,
    ]);
    const head = ['app', '', 'worker', 'of it young', '+ worker', '+ without young', 'shipper', 'of a core when idle'];
    parts.push(
      `## Memory\n\nOn Node ${node} after ${options.requests} requests, ${numberOf(options.rounds, 'round')}, megabytes.\n\n${table(head, cells)}\n`,
    );
  }
  return parts.length > 0 ? `${parts.join('\n')}\n` : '';
}

/** Why budgets are short, in numbers of the same results. */
function shortfalls(verdicts: readonly Verdict[]): string {
  if (verdicts.every(({ held }) => held)) return '';
  const { summary } = loadResults<HttpResults>('http-hello-node24');
  const of = (contestant: string) => summary.find(({ name }) => name === contestant)!;
  const [untraced, ours] = [of('untraced'), of('forktrace-journal-mmap')];
  const io = loadResults<HttpResults>('http-io-node24').summary.find(({ name }) => name === ours.name)!
    .throughputRatio!;
  const { cases } = loadResults<SpanResults>('span');
  const [empty, attributes] = [cases['start + end']!, cases['3 attributes']!];
  const [added, micros] = [ours.addedWorkerMicros!, untraced.workerMicros];
  return `## What is short, and why

On Node 24, by the tables below:

- Throughput: hello-world spends ${micros.toFixed(1)} µs of CPU on a request, and a traced one ${added.toFixed(1)} µs more, so that
  ${(micros / (micros + added)).toFixed(2)} of the throughput is what is left if nothing else changes; to keep 0.90, tracing could take
  ${(micros / 9).toFixed(1)} µs. A server whose requests wait keeps more: with 20 ms of I/O, ${io.toFixed(2)}.
- One span: a tenth of the SDK's ${attributes.against[0]!.nanos.toFixed(0)} ns are ${(attributes.against[0]!.nanos / 10).toFixed(0)} ns. Without attributes a span takes ${empty.nanos.toFixed(0)} ns,
  two readings of the clock included; each of the three attributes adds ${((attributes.nanos - empty.nanos) / 3).toFixed(0)} ns. The
  median is ${attributes.nanos.toFixed(0)} ns, and a quarter of the rounds takes 1/${(1 / attributes.against[0]!.threeQuarters).toFixed(1)} of the SDK's time or more.
- Memory: ${memoryShare()}
- Where the time goes is under [Where it goes](#where-it-goes).

`;
}

function memoryShare(): string {
  const { rows } = loadResults<MemoryResults>('memory');
  const [first] = rows.filter(({ name }) => name === 'forktrace-journal-mmap');
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  return `of the ${megabytes(first!.added)} MB that ${first!.app} has more, ${megabytes(first!.added - first!.addedRest)} MB are V8's young generation. The other ${megabytes(first!.addedRest)} MB are
  the journal's mapped segments (1 MiB each: the one that is written, the next one, and up to six on their way through the
  shipper), and the code of forktrace, the API and koffi with the memory that loading and compiling it took. Workers of a cluster share
  the pages of files, so each of many workers takes less.`;
}

/** What the README shows of it: the table that a reader compares tracers by. */
export function readmeShare(): string {
  const { head, rows } = sideBySide();
  return `${table(head, rows)}

Measured on Node 24 by \`npm run bench\`, each tracer set up as its own documentation says. Every row is from one run in which the
contestants take turns. [Benchmarks](docs/benchmarks.md) has the machine, the method, all tables, and the budgets that forktrace does not hold yet.`;
}

function spans(): string {
  const { cases } = loadResults<SpanResults>('span');
  const sdks = Object.values(cases)[0]!.against.map(({ name }) => name);
  return table(
    ['case', 'forktrace ns', ...sdks.flatMap((name) => [`${name} ns`, 'ratio', '±'])],
    Object.entries(cases).map(([name, { nanos, against }]) => [
      name,
      nanos.toFixed(0),
      ...against.flatMap((sdk) => [sdk.nanos.toFixed(0), `1/${(1 / sdk.ratio).toFixed(1)}`, sdk.spread.toFixed(3)]),
    ]),
  );
}

function http(name: string, title: string): string {
  if (!existsSync(resultsFile(name))) return '';
  const { machine, node, options, summary } = loadResults<HttpResults>(name);
  const rows = summary.map((one) => [
    one.name,
    one.perSecond.toFixed(0),
    number(one.throughputRatio, 3),
    number(one.throughputSpread, 3),
    number(one.addedWorkerMicros, 1),
    number(one.addedAllMicros, 1),
    (one.memory / 1e6).toFixed(0),
    (one.youngGeneration / 1e6).toFixed(0),
    number(one.latency?.p50, 2),
    number(one.latency?.p99, 2),
    number(one.latency?.p999, 2),
    number(one.p99Ratio, 2),
    number(one.p99Spread, 2),
    number(one.loopDelayP99, 1),
    one.delivered === undefined ? '–' : `${(one.delivered * 100).toFixed(1)} %`,
  ]);
  const head = [
    '',
    'req/s',
    '× untraced',
    '±',
    '+ µs worker',
    '+ µs all',
    'MB',
    'of it young',
    'p50 ms',
    'p99',
    'p99.9',
    'p99 × untraced',
    '±',
    'loop p99',
    'delivered',
  ];
  const { rounds, requests, connections } = options;
  const { date } = machine;
  const earlier = date === loadResults<HttpResults>('http-hello-node24').machine.date ? '' : ` Measured on ${date}.`;
  const how = `${rounds} rounds of ${requests} requests on ${connections} connections.${earlier}`;
  return `### ${title}, Node ${node}\n\n${how}\n\n${table(head, rows)}\n${attributes(name)}`;
}

/** What each contestant's server span has that OpenTelemetry's does not, and the other way round. */
function attributes(name: string): string {
  const { summary } = loadResults<HttpResults>(name);
  const reference = summary.find((one) => one.name === 'otel-2')?.attributes;
  if (reference === undefined) return '';
  const without = (keys: string[], others: string[]) => keys.filter((key) => !others.includes(key));
  const code = (sign: string, keys: string[]) => keys.map((key) => `${sign} \`${key}\``);
  const lines = summary.flatMap(({ name: contestant, attributes: own }) => {
    if (own === undefined || own.length === 0) return [];
    const difference = [...code('+', without(own, reference)), ...code('−', without(reference, own))];
    return difference.length > 0 ? [`- ${contestant}: ${difference.join(', ')}`] : [];
  });
  if (lines.length === 0) return '';
  return `\nThe server span's attributes, where they differ from \`otel-2\`'s ${reference.length}:\n\n${lines.join('\n')}\n`;
}

/**
 * How the time that tracing adds in JavaScript is spread: by part of forktrace, and by function, traced less
 * untraced.
 */
function profile(): string {
  const names = ['profile-untraced-hello', 'profile-forktrace-journal-mmap-hello'] as const;
  if (!names.every((name) => existsSync(resultsFile(name)))) return '';
  const [untraced, traced] = names.map((name) => loadResults<ProfileResults>(name)) as [ProfileResults, ProfileResults];
  const untracedMicros = new Map(untraced.functions.map(({ name, micros }) => [name, micros]));
  const added = traced.functions
    .map(({ name, micros }) => ({ name, added: micros - (untracedMicros.get(name) ?? 0) }))
    .sort((a, b) => b.added - a.added);
  const parts = new Map<string, number>();
  for (const { name, added: micros } of added) {
    const part = /(?:dist|src)\/(\w+)\//.exec(name)?.[1] ?? /node_modules\/([^/]+)/.exec(name)?.[1] ?? 'Node.js and V8';
    parts.set(part, (parts.get(part) ?? 0) + micros);
  }
  const sorted = [...parts].sort(([, a], [, b]) => b - a);
  const files = (name: string) => name.replace(/ {2}(.*)$/, (_, where) => (where === ':0' ? '' : ` ${where}`));
  return `## Where it goes

A CPU profile of hello-world on Node ${traced.node}, ${traced.requests} requests, traced less untraced: ${(traced.microsPerRequest - untraced.microsPerRequest).toFixed(2)} µs of JavaScript
a request, and the calls it makes, with a sample every 200 µs. The profiler's own cost is included, so the shares say more than the sums. By
part:

${table(
  ['', 'µs/request'],
  sorted.map(([part, micros]) => [part, micros.toFixed(2)]),
)}

By function:

${table(
  ['', 'µs/request'],
  added.slice(0, 12).map(({ name, added: micros }) => [`\`${files(name)}\``, micros.toFixed(2)]),
)}
`;
}

function cluster(name: string): string {
  if (!existsSync(resultsFile(name))) return '';
  const { options, summary } = loadResults<ClusterResults>(name);
  const rows = summary.map((one) => [
    one.contestant,
    one.workers,
    one.spans,
    one.connections,
    one.perSecond.toFixed(0),
    one.cpuMicros.toFixed(1),
    number(one.addedMicros, 1),
    (one.workerMemory / 1e6).toFixed(0),
    (one.allMemory / 1e6).toFixed(0),
    one.readyMs.toFixed(0),
    number(one.reloadMs, 0),
    one.delivered === undefined ? '–' : `${(one.delivered * 100).toFixed(1)} %`,
  ]);
  const head = [
    '',
    'workers',
    'spans',
    'connections',
    'req/s',
    'CPU µs/req',
    '+ µs',
    'MB/worker',
    'MB, all',
    'ready ms',
    'reload ms',
    'delivered',
  ];
  return `${options.rounds} rounds:\n\n${table(head, rows)}\n`;
}
