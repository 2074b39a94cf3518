/**
 * One way of dying in a real cluster that serves other requests, and what the trace says of it.
 *
 * @module
 */
import type { TestContext } from 'node:test';
import { innermostFrame } from '#src/forensics/stack-frame.js';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import type { Way } from './ways.js';

/** What the trace says. */
export interface Death {
  /** The exit cause; undefined: the worker lives. */
  cause: string | undefined;
  /** The route of the request whose code was running. */
  culprit: string | undefined;
  /** `function, file:line`. */
  line: string | undefined;
  /** Requests in flight that are marked as victims. */
  victims: number;
  /** Requests in flight that nobody is blamed for. */
  others: number;
  /** What the process did, where it was looked into. */
  state: string | undefined;
}

const VICTIMS = 2;

export async function measure({ path, act, mayLive }: Way): Promise<Death> {
  const fillsHeap = path === 'heap' || path === 'leak';
  const cleanUps: (() => unknown)[] = [];
  const context = { after: (fn: () => unknown) => void cleanUps.unshift(fn) } as unknown as TestContext;
  try {
    const endpoint = await OtlpEndpoint.start(context);
    const cluster = await RunningCluster.ready(
      context,
      {
        workers: 1,
        pipeline: 'journal',
        export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
        forensics: { heapOutOfMemory: path === 'leak' },
        // V8 collects for seconds before it gives up.
        supervise: { heartbeatTimeoutMs: fillsHeap ? 60_000 : 5000, backoffMinMs: 20, shutdownTimeoutMs: 3000 },
      },
      { fixture: 'stuck-cluster', env: fillsHeap ? { NODE_OPTIONS: '--max-old-space-size=100' } : {} },
    );
    const pid = await cluster.pidOf(0);
    await until('it may be looked into', async () => (await cluster.stats()).workers[0]!.stats !== undefined);
    const arrived = (way: string) => cluster.lines.filter((line) => line.arrived === way).length;
    for (let i = 0; i < 10; i++) await cluster.get('/home');
    for (let i = 0; i < VICTIMS; i++) void cluster.get('/patient').catch(() => {});
    await until('the victims are in flight', () => arrived('patient') === VICTIMS);
    const name = path.replace(/\?.*/, '');
    void cluster.get(`/${path}`).catch(() => {});
    await until('the culprit is in flight', () => arrived(name) > (name === 'patient' ? VICTIMS : 0));
    if (act === 'kill') process.kill(pid, 'SIGKILL');
    if (act === 'stop the cluster') cluster.process.kill('SIGTERM');
    const isEnd = (span: ReceivedSpan) =>
      (mayLive && span.name === 'event loop blocked') ||
      (span.name === 'worker.exit' && span.attributes['cluster.worker.pid'] === pid);
    const spans = await endpoint.waitForSpans((all) => all.some(isEnd), 60_000);
    return told(spans, spans.find(isEnd)!);
  } finally {
    for (const cleanUp of cleanUps) await cleanUp();
  }
}

function told(spans: readonly ReceivedSpan[], end: ReceivedSpan): Death {
  const interrupted = spans.filter(({ attributes }) => attributes['forktrace.interrupted'] === true);
  const inRole = (role: string | undefined) =>
    interrupted.filter(({ attributes }) => attributes['forktrace.exit.role'] === role);
  const { attributes } = end;
  const cause = attributes['forktrace.exit.cause'];
  const [culprit] = cause === undefined ? [rootOf(spans, end)] : inRole('culprit');
  const linked = inRole('victim').flatMap(({ links }) => links.map(({ spanId }) => spanId))[0];
  const blamed = culprit ?? spans.find(({ spanId }) => spanId === linked);
  return {
    cause: cause as string | undefined,
    culprit: blamed?.attributes['http.route'] as string | undefined,
    line: lineOf(attributes),
    victims: inRole('victim').length,
    others: inRole(undefined).length,
    state: attributes['forktrace.block.state'] as string | undefined,
  };
}

/** The request that a block is a part of. */
function rootOf(spans: readonly ReceivedSpan[], { traceId }: ReceivedSpan): ReceivedSpan | undefined {
  return spans.find((span) => span.traceId === traceId && span.attributes['http.route'] !== undefined);
}

function lineOf(attributes: ReceivedSpan['attributes']): string | undefined {
  const place = (functionName: unknown, file: string, line: unknown) =>
    `${functionName ?? '(anonymous)'}, ${file.slice(file.lastIndexOf('/') + 1)}:${line}`;
  const file = attributes['code.file.path'];
  if (typeof file === 'string') return place(attributes['code.function.name'], file, attributes['code.line.number']);
  const frame = innermostFrame(String(attributes['exception.stacktrace'] ?? ''));
  return frame && place(frame.functionName, frame.filePath, frame.line);
}
