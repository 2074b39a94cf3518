/**
 * SIGKILL for worker after worker, at random moments and under load. `STORM_KILLS` sets how many;
 * `npm run chaos` takes 50.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedLog } from '../endpoint/received-log.js';
import { OtlpSpanKind, type ReceivedSpan } from '../endpoint/received-span.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const KILLS = Number(process.env.STORM_KILLS ?? 12);
const CLIENTS = 16;
/** Nothing takes as long: a request that does was accepted, and forgotten. */
const HUNG_MS = 20_000;

/** What a client has seen of a request: its answer, the end of its connection, or neither. */
type Outcome = 'answered' | 'lost' | 'refused' | 'hung';

/** What became of every request, by its path, which no other request has. */
class Outcomes extends Map<string, Outcome> {
  readonly count: Record<Outcome, number> = { answered: 0, lost: 0, refused: 0, hung: 0 };

  override set(path: string, outcome: Outcome): this {
    this.count[outcome]++;
    return super.set(path, outcome);
  }
}

test(`${KILLS} workers are killed under load: every answered request has one span, every lost one that arrived one interrupted span, every line that was logged is there once`, async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const arrivals = join(dir, 'arrivals');
  const program = runProgram(t, fixture('storm-server'), {
    ipc: true,
    env: {
      WEB_CONCURRENCY: '3',
      OTEL_SERVICE_NAME: 'storm',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      FORKTRACE_PIPELINE: 'journal',
      FORKTRACE_JOURNAL_DIR: join(dir, 'journal'),
      FORKTRACE_LOGS_MAX_PER_SECOND: '1000000',
      STORM_ARRIVALS: arrivals,
    },
  });
  const { address } = await program.waitForMessage(
    (message): message is { address: string } =>
      typeof message === 'object' && message !== null && 'address' in message,
  );

  const outcomes = new Outcomes();
  const { count } = outcomes;
  const load = new AbortController();
  const clients = Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(address, n, outcomes, load.signal)));
  const killed = new Set<number>();
  while (killed.size < KILLS) {
    // Answers go on, whoever was killed: there is always a load that the next kill interrupts.
    const answered = count.answered;
    await program.waitFor(() => count.answered >= answered + 50 || count.refused + count.hung > 0, 'answers');
    assert.deepEqual([count.refused, count.hung], [0, 0], `after ${killed.size} kills`);
    const living = await twoWorkers(program, killed);
    await sleep(Math.random() * 30);
    const pid = living[Math.floor(Math.random() * living.length)]!;
    killed.add(pid);
    program.kill('SIGKILL', pid);
  }
  load.abort();
  await clients;
  assert.deepEqual([count.refused, count.hung], [0, 0]);

  // The shipper ends when it has shipped all that the workers have left.
  program.kill('SIGTERM');
  await program.waitForExit();
  await waitFor(() => program.pids().length === 0, 'the end of the shipper');

  const spans = new Map<string, ReceivedSpan[]>();
  for (const span of endpoint.received()) {
    if (span.kind !== OtlpSpanKind.SERVER) continue;
    const path = String(span.attributes['url.path']);
    spans.set(path, [...(spans.get(path) ?? []), span]);
  }
  const arrived = new Set(readFileSync(arrivals, 'utf8').split('\n'));
  const wrong: string[] = [];
  const found: Record<string, number> = {};
  for (const [path, outcome] of outcomes) {
    const seen = (spans.get(path) ?? []).map(kindOf);
    const what = `${outcome}, ${arrived.has(path) ? 'arrived' : 'not arrived'}: ${seen.join(' and ') || 'no span'}`;
    found[what] = (found[what] ?? 0) + 1;
    if (!EXPECTED.has(what)) wrong.push(`${path} ${what}`);
  }
  t.diagnostic(JSON.stringify(found));
  assert.deepEqual(wrong, []);
  assert.deepEqual(
    [...spans.keys()].filter((path) => !outcomes.has(path)),
    [],
  );
  assertLogged(endpoint.logs, outcomes, arrived, spans);
  const interrupted = found['lost, arrived: interrupted'] ?? 0;
  // How many is chance; with none the test would show nothing.
  assert.ok(interrupted > 0, `the kills have interrupted ${interrupted} requests`);
});

/** All that may become of a request, as docs/journal-format.md has it. */
const EXPECTED = new Set([
  'answered, arrived: ended',
  // Killed between the write of the response and the end of the span.
  'answered, arrived: interrupted with status',
  'lost, arrived: interrupted',
  // Killed between the checkpoint of the span and the write of the response.
  'lost, arrived: interrupted with status',
  // The handler did not come to write it down.
  'lost, not arrived: interrupted',
  // It went to a worker that was dead already.
  'lost, not arrived: no span',
]);

/** Each line once, in the trace of its request; none is missing of what has happened after it was logged. */
function assertLogged(
  logs: readonly ReceivedLog[],
  outcomes: Outcomes,
  arrived: ReadonlySet<string>,
  spans: ReadonlyMap<string, ReceivedSpan[]>,
): void {
  const lines = new Map<string, ReceivedLog>();
  const wrong: string[] = [];
  for (const log of logs) {
    const body = String(log.body);
    if (lines.has(body)) wrong.push(`twice: ${body}`);
    lines.set(body, log);
    const [span] = spans.get(body.split(' ')[0]!) ?? [];
    if (span?.traceId !== log.traceId || span.spanId !== log.spanId) wrong.push(`not in its span: ${body}`);
  }
  for (const [path, outcome] of outcomes) {
    if (arrived.has(path) && !lines.has(`${path} arrives`)) wrong.push(`missing: ${path} arrives`);
    if (outcome === 'answered' && !lines.has(`${path} is answered`)) wrong.push(`missing: ${path} is answered`);
  }
  assert.deepEqual(wrong, []);
}

function kindOf({ attributes }: ReceivedSpan): string {
  if (attributes['forktrace.interrupted'] !== true) return 'ended';
  return attributes['http.response.status_code'] === undefined ? 'interrupted' : 'interrupted with status';
}

async function client(address: string, n: number, outcomes: Outcomes, stop: AbortSignal): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; !stop.aborted; i++) {
    const path = `/${n}/${i}`;
    outcomes.set(path, await request(`${address}${path}`, agent, i % 20));
  }
  agent.destroy();
}

function request(url: string, agent: Agent, delayMs: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException) => {
      resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'lost');
    };
    const request = get(url, { agent, headers: { 'x-delay': delayMs }, timeout: HUNG_MS }, (response) => {
      response.on('error', failed);
      response.resume().on('end', () => resolve('answered'));
    });
    request.on('error', failed).on('timeout', () => {
      resolve('hung');
      request.destroy();
    });
  });
}

/**
 * Two ready workers at least, so that one goes on when the other is killed: with none left, nobody listens.
 * The coordinator may not have heard yet of those that were killed before.
 */
async function twoWorkers(program: Program, killed: ReadonlySet<number>): Promise<number[]> {
  return program.waitFor(async () => {
    const asked = program.messages.length;
    program.send({ ask: 'pids' });
    const { pids } = await program.waitFor(
      () => program.messages.slice(asked).find((message): message is { pids: number[] } => 'pids' in Object(message)),
      'the pids',
    );
    const living = pids.filter((pid) => !killed.has(pid));
    return living.length > 1 ? living : undefined;
  }, 'two ready workers');
}
