/**
 * A thread cannot say how it ends when it is terminated, runs out of memory, or goes with its process: its
 * process says it, and a parent says it of both.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

type Told = [cause: string, codeOrSignal?: number | string];

const ended: Told = ['exit', 0];
const killed: Told = ['signal', 'SIGKILL'];

/** What the open spans say of the end of the thread, and of the process. */
const ENDS: Record<string, [thread: Told, process: Told]> = {
  terminate: [['stop', 1], ended],
  'exit(1)': [['exit', 1], ended],
  throw: [['uncaught_exception', 1], ended],
  'heap out of memory': [['heap_out_of_memory', 1], ended],
  'exit of the process': [
    ['exit', 3],
    ['exit', 3],
  ],
  'throw of the process': [
    ['uncaught_exception', 1],
    ['uncaught_exception', 1],
  ],
  'kill of the process by itself': [killed, killed],
  'kill of the process by nobody who tells': [['unknown'], ['unknown']],
  'kill of the process by its parent': [killed, killed],
  'end, and then the process is killed by its parent': [ended, killed],
};

const AT_ONCE = 3;

test('spans of a thread, and of its process, say how each has ended', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const env = {
    NODE_ENV: 'production',
    FORKTRACE_JOURNAL_DIR: await tempDir(t),
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
  };
  const ways = Object.keys(ENDS);
  const next = async () => {
    for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
      const args = way.endsWith('by its parent') ? [way, 'as a parent'] : [way];
      const execArgv = ['--import', import.meta.resolve('forktrace/register')];
      await runProgram(t, fixture('thread-ends'), { args, execArgv, env }).waitForExit();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  const spans = await endpoint.waitForSpans(2 * Object.keys(ENDS).length);
  const told = (of: string, way: string) =>
    toldBy(spans.find(({ name, attributes }) => name === of && attributes.way === way)!);
  const found = Object.keys(ENDS).map((way) => [way, [told('of the thread', way), told('of the process', way)]]);
  assert.deepEqual(Object.fromEntries(found), ENDS);
});

for (const preload of [[], ['--import', import.meta.resolve('forktrace/register')]]) {
  test(`so do spans of threads in a coordinator’s worker${preload.length > 0 ? ', preloaded' : ''}`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const runDir = await tempDir(t);
    const program = runProgram(t, fixture('worker-threads'), {
      execArgv: preload,
      env: {
        NODE_ENV: 'production',
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
        FORKTRACE_RUN_DIR: runDir,
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      },
    });
    const { signal } = await program.waitForExit();
    assert.equal(signal, 'SIGTERM');
    const ofThreads = (spans: readonly ReceivedSpan[]) => spans.filter(({ name }) => name === 'of the thread');
    const spans = ofThreads(await endpoint.waitForSpans((all) => ofThreads(all).length === 4));
    assert.deepEqual(Object.fromEntries(spans.map((span) => [span.attributes.way, toldBy(span)])), {
      terminate: ['stop', 1],
      'exit(5)': ['exit', 5],
      throw: ['uncaught_exception', 1],
      'heap out of memory': ['heap_out_of_memory', 1],
    });
    assert.doesNotMatch(program.stderr, /FORKTRACE_REGISTERED_TWICE/);
    // The coordinator, by its preload, if at all: the worker is the coordinator's to list.
    const listed = readdirSync(runDir).filter((name) => name.endsWith('.process.json'));
    assert.deepEqual(listed, []);
  });
}

function toldBy(span: ReceivedSpan): unknown[] {
  const { attributes } = span.events.find(({ name }) => name === 'forktrace.exit')!;
  const exit = attributes['process.exit.code'] ?? attributes['forktrace.exit.signal'];
  return [attributes['forktrace.exit.cause'], ...(exit === undefined ? [] : [exit])];
}
