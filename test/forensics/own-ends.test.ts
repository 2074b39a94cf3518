/**
 * What a process knows of its own end, it tells: the code that it really ends with, and the signal that it
 * sends to itself, without a parent that traces.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

/** Cause, and exit code or signal, as the interrupted span has them. The process must end by the same. */
const ENDS: Record<string, [cause: string, codeOrSignal: number | string]> = {
  'exitCode in a listener': ['exit', 11],
  'exitCode in a listener after a throw': ['uncaught_exception', 12],
  'exit in a listener': ['exit', 13],
  'throw in a listener': ['uncaught_exception', 1],
  'kill in a listener': ['signal', 'SIGKILL'],
  'exit(-1)': ['exit', 255],
  'exit(256 + 7)': ['exit', 7],
  reallyExit: ['exit', 5],
  'kill, by number': ['signal', 'SIGKILL'],
  'kill, by name': ['signal', 'SIGQUIT'],
  'kill its group': ['signal', 'SIGUSR2'],
  'kill, in a span': ['signal', 'SIGKILL'],
  'kill(0)': ['exit', 4],
  'a signal that it handles': ['exit', 8],
  'a signal that it raises again': ['signal', 'SIGTERM'],
  'a signal that it raises again in the handler': ['signal', 'SIGTERM'],
  'exit after shutdown()': ['exit', 14],
  'signal after shutdown()': ['signal', 'SIGTERM'],
  'throw of the main module': ['uncaught_exception', 1],
};

const AT_ONCE = 3;

for (const mode of ['mmap', 'write'] as const) {
  test(`${mode}: a process that ends itself tells code and signal`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const env = {
      NODE_ENV: 'production',
      FORKTRACE_JOURNAL_MODE: mode,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
    };
    const ways = Object.keys(ENDS);
    const next = async () => {
      for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
        const program = runProgram(t, fixture('ends-itself'), {
          args: [way],
          execArgv: ['--import', import.meta.resolve('forktrace/register')],
          env,
          ownGroup: true,
        });
        const { code, signal } = await program.waitForExit();
        assert.equal(signal ?? code, ENDS[way]![1], way);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    const isOpen = ({ name }: { name: string }) => name === 'open';
    const count = Object.keys(ENDS).length;
    const spans = await endpoint.waitForSpans(
      (all) => all.length >= 2 * count + 2 && all.filter(isOpen).length === count,
    );
    const ended = spans.filter(({ name }) => name === 'ended');
    assert.equal(ended.filter(({ attributes }) => !attributes['forktrace.interrupted']).length, count);
    const told = spans.filter(isOpen).map(({ attributes: { way }, events }) => {
      const { attributes } = events.find(({ name }) => name === 'forktrace.exit')!;
      const exit = attributes['process.exit.code'] ?? attributes['forktrace.exit.signal'];
      return [way, [attributes['forktrace.exit.cause'], exit]];
    });
    assert.deepEqual(Object.fromEntries(told), ENDS);
    const listening = spans.find(({ name }) => name === 'listening')!;
    assert.equal(listening.attributes['forktrace.exit.role'], undefined, 'what comes from outside has no culprit');
    const killing = spans.find(({ name }) => name === 'killing')!;
    assert.equal(killing.attributes['forktrace.exit.role'], 'culprit');
    assert.equal(killing.attributes['forktrace.block.state'], 'sent itself SIGKILL');
    assert.equal(killing.attributes['code.function.name'], 'kills');
  });
}
