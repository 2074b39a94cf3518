import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

interface Expected {
  cause: string;
  /** Its request is the culprit, the others are victims of it; undefined: nobody can tell. */
  culprit?: { state: string; line: RegExp };
  code?: number;
  signal?: string;
  exception?: { type: string; message: string };
}

/**
 * Ways in which a worker dies of its own, and what its coordinator, its interrupted requests and its exit say
 * of it.
 */
const DEATHS: Record<string, Expected> = {
  throw: {
    culprit: { state: 'threw', line: /_onTimeout/ },
    cause: 'uncaught_exception',
    code: 1,
    exception: { type: 'RangeError', message: 'out of luck' },
  },
  reject: {
    culprit: { state: 'rejected a promise', line: /reject/ },
    cause: 'unhandled_rejection',
    code: 1,
    exception: { type: 'TypeError', message: 'no promise kept' },
  },
  exit: { culprit: { state: 'called process.exit', line: /exit/ }, cause: 'exit', code: 7 },
  sync: {
    culprit: { state: 'threw', line: /serve/ },
    cause: 'uncaught_exception',
    code: 1,
    exception: { type: 'Error', message: 'at once' },
  },
  abort: { culprit: { state: 'called process.abort', line: /abort/ }, cause: 'abort', signal: 'SIGABRT' },
  segv: { cause: 'crash', signal: 'SIGSEGV' },
  killed: { cause: 'signal', signal: 'SIGKILL' },
  'kills-itself': {
    culprit: { state: 'sent itself SIGKILL', line: /kills-itself/ },
    cause: 'signal',
    signal: 'SIGKILL',
  },
  heap: { cause: 'heap_out_of_memory', signal: 'SIGABRT' },
};

async function died(t: TestContext, way: string) {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(
    t,
    {
      workers: 1,
      pipeline: 'journal',
      export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
      supervise: { backoffMinMs: 20, heartbeatTimeoutMs: 60_000 },
    },
    { fixture: 'stuck-cluster', env: way === 'heap' ? { NODE_OPTIONS: '--max-old-space-size=64' } : {} },
  );
  const pid = await cluster.pidOf(0);
  const patient = cluster.get('/patient').catch(() => undefined);
  await until('the other request is in flight', () => cluster.lines.some(({ arrived }) => arrived === 'patient'));
  await Promise.all([patient, cluster.get(`/${way}`).catch(() => undefined)]);
  const spans = await endpoint.waitForSpans((all) =>
    all.some(({ name, attributes }) => name === 'worker.exit' && attributes['cluster.worker.pid'] === pid),
  );
  return {
    spans,
    exit: spans.find(({ name }) => name === 'worker.exit')!,
    interrupted: spans.filter(({ attributes }) => attributes['forktrace.interrupted'] === true),
  };
}

for (const [way, { cause, code, signal, exception, culprit }] of Object.entries(DEATHS)) {
  test(`a worker that dies by ${way}: ${cause}, on worker.exit and on what it interrupted`, async (t) => {
    const { exit, interrupted, spans } = await died(t, way);
    assert.ok(interrupted.length >= 1);
    const events = interrupted.map(({ events }) => events.find(({ name }) => name === 'forktrace.exit')!);
    for (const { attributes } of [exit, ...events]) {
      assert.equal(attributes['forktrace.exit.cause'], cause);
      assert.equal(attributes['process.exit.code'], code);
      assert.equal(attributes['forktrace.exit.signal'], signal);
      assert.equal(attributes['exception.type'], exception?.type);
      assert.equal(attributes['exception.message'], exception?.message);
      if (exception) assert.match(String(attributes['exception.stacktrace']), /stuck-cluster\.js:\d+/);
    }
    for (const { attributes } of interrupted) assert.equal(attributes['forktrace.exit.cause'], cause);
    const roles = interrupted.map(({ name, attributes }) => `${name} ${attributes['forktrace.exit.role']}`).sort();
    if (culprit === undefined)
      assert.ok(
        roles.every((role) => role.endsWith('undefined')),
        roles.join(),
      );
    else {
      // It may have been answered before: then it is what the victim links to, and no more.
      const accused = spans.find(({ name }) => name === `GET /${way}`)!;
      const isAnswered = !interrupted.includes(accused);
      assert.deepEqual(
        roles,
        isAnswered ? ['GET /patient victim'] : [`GET /${way} culprit`, 'GET /patient victim'].sort(),
      );
      for (const { attributes } of isAnswered ? [exit] : [accused, exit]) {
        assert.equal(attributes['forktrace.block.state'], culprit.state);
        assert.match(String(attributes['code.function.name']), culprit.line);
        assert.match(String(attributes['code.file.path']), /stuck-cluster\.js$/);
      }
      const victim = interrupted.find(({ name }) => name === 'GET /patient')!;
      assert.deepEqual(
        victim.links.map(({ spanId }) => spanId),
        [accused.spanId],
      );
    }
    // A leak that is quick: its last sample is up to a second old.
    if (way === 'heap') {
      const { 'forktrace.vitals.heap.used': used, 'forktrace.vitals.heap.limit': limit } = exit.attributes;
      assert.ok(Number(used) > 0 && Number(limit) === 64 * 1024 * 1024, `${used} of ${limit}`);
    }
  });
}

/** A process without a coordinator: what it knows itself is all that is known. */
const ENDS: [end: string, expected: Expected][] = [
  ['exit with the root open', { cause: 'exit', code: 0 }],
  ['throw', { cause: 'uncaught_exception', code: 1, exception: { type: 'Error', message: 'the tool failed' } }],
  ['reject', { cause: 'unhandled_rejection', code: 1, exception: { type: 'Error', message: 'the tool failed later' } }],
  ['kill', { cause: 'unknown' }],
];

for (const [end, { cause, code, exception }] of ENDS) {
  test(`a preloaded tool, ${end}: ${cause}`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const tool = runProgram(t, fixture('tool'), {
      args: [end, '20', '2'],
      execArgv: ['--import', new URL('../../dist/register.js', import.meta.url).href],
      env: {
        NODE_ENV: 'production',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
      },
    });
    await tool.waitForExit();
    const spans = await endpoint.waitForSpans(3);
    const { attributes } = spans
      .find(({ name }) => name === 'tool')!
      .events.find(({ name }) => name === 'forktrace.exit')!;
    assert.equal(attributes['forktrace.exit.cause'], cause);
    assert.equal(attributes['process.exit.code'], code);
    assert.equal(attributes['exception.message'], exception?.message);
  });
}
