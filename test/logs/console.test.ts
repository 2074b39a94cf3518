// What workers say with `console` and on standard error, as log records: logs.captureOutput.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SpanContext } from '@opentelemetry/api';
import { oneWorker } from '../coordinator/one-worker.js';
import { alive, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

async function cluster(t: TestContext, logs: object = { captureOutput: true }, supervise: object = {}) {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  // For worker threads, which have no other configuration.
  const env = {
    FORKTRACE_QUIET: '1',
    FORKTRACE_LOGS_CAPTURE_OUTPUT: 'true',
    FORKTRACE_JOURNAL_DIR: dir,
    OTEL_SERVICE_NAME: 'shop',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
  };
  const running = await oneWorker(t, dir, endpoint.grpcUrl, { logs, supervise }, { fixture: 'console-worker', env });
  return { endpoint, running };
}

const levelsAndBodies = ({ logs }: OtlpEndpoint, scope: string) =>
  logs.filter((log) => log.scope.name === scope).map(({ severityNumber, body }) => [severityNumber, body]);

test('each call of console is one record with its level and span; what bypasses it comes by the coordinator', async (t) => {
  const { endpoint, running } = await cluster(t);
  const pid = await running.pidOf(0);
  const { traceId, spanId } = (await running.get('/console')) as unknown as SpanContext;
  await endpoint.waitForLogs(14);
  const table = ['┌─────────┬────────┐', '│ (index) │ column │', '├─────────┼────────┤', '│ 0       │ 1      │'];
  const said = levelsAndBodies(endpoint, 'console');
  const [error] = said.splice(3, 1);
  assert.equal(error![0], 17);
  assert.match(String(error![1]), /^TypeError: no luck\n {4}at /);
  assert.deepEqual(said, [
    [9, 'log 1 { a: { b: 2 } }'],
    [5, 'debug'],
    [13, 'warn red'],
    [9, [...table, '└─────────┴────────┘'].join('\n')],
    [9, "[ 'shown' ]"],
    [13, 'Assertion failed: not so'],
    [9, 'talkative'],
    [9, 'inspected'],
    [0, 'by the stream é'],
    [0, 'as bytes'],
  ]);
  for (const log of endpoint.logs.filter(({ scope }) => scope.name === 'console')) {
    assert.deepEqual([log.traceId, log.spanId, log.resource['process.pid']], [traceId, spanId, pid]);
    const stream = [13, 17, 0].includes(log.severityNumber) ? 'stderr' : 'stdout';
    assert.equal(log.attributes['log.iostream'], stream);
  }
  const withError = endpoint.logs.find(({ severityNumber }) => severityNumber === 17)!;
  assert.equal(withError.attributes['exception.type'], 'TypeError');

  const bypassing = endpoint.logs.filter(({ scope }) => scope.name === 'stderr');
  assert.deepEqual(
    bypassing.map(({ body }) => body),
    ['hello', 'by the descriptor', 'bad\ufffd'],
  );
  for (const { attributes, resource } of bypassing) {
    assert.deepEqual(attributes, {
      'cluster.worker.slot': 0,
      'cluster.worker.incarnation': 0,
      'cluster.worker.pid': pid,
      'log.iostream': 'stderr',
    });
    assert.equal(resource['cluster.role'], 'coordinator');
  }
});

test('what is printed is what is printed without it', async (t) => {
  const outputs: string[][] = [];
  for (const logs of [{ captureOutput: true }, { captureOutput: false }]) {
    const { running } = await cluster(t, logs, { prefix: true });
    await running.get('/console');
    const last = ['slot 0 | \n', 'bad\ufffd\n'];
    await until('the last lines of both streams', () => last.every((line) => running.output.includes(line)));
    const lines = running.output.split('\n').filter((line) => !line.includes('{'));
    // Standard output and standard error are two streams, and both arrive here.
    outputs.push(lines.sort());
  }
  assert.deepEqual(outputs[0], outputs[1]);
  assert.ok(outputs[0]!.includes('slot 0 | warn \u001b[31mred\u001b[0m'));
});

test('a worker that is killed in the middle of a line: what it had said, and the half of the line', async (t) => {
  const { endpoint, running } = await cluster(t);
  const pid = await running.pidOf(0);
  await running.get('/half').catch(() => {});
  await until('it is gone', () => !alive(pid));
  const logs = await endpoint.waitForLogs(2);
  assert.deepEqual(logs.map(({ body }) => body).sort(), ['half a li', 'the last word']);
});

test('an uncaught error, as Node.js prints it; a long line is several records', async (t) => {
  const { endpoint, running } = await cluster(t);
  await running.get('/long');
  await running.get('/throw').catch(() => {});
  const all = () => endpoint.logs.filter(({ scope }) => scope.name === 'stderr').map(({ body }) => String(body));
  await until('the error', () => /Error: thrown by the app\n +at .*console-worker/.test(all().join('\n')));
  const long = all().filter((body) => /^x+$/.test(body));
  assert.equal(long.join('').length, 200_000);
  assert.ok(long.length >= 4 && long.length < 20, `${long.length} records`);
});

test('what a worker thread says comes once, with its span where the thread is traced', async (t) => {
  const { endpoint, running } = await cluster(t);
  await running.get('/thread');
  await running.get('/traced-thread');
  await running.get('/console');
  const last = ['of a thread', 'of a traced thread', 'bad\ufffd'];
  await endpoint.waitForLogs((logs) => last.every((text) => logs.some(({ body }) => body === text)));
  const ofThreads = endpoint.logs.filter(({ body }) => String(body).startsWith('of a'));
  const told = ofThreads.map(({ body, traceId, severityNumber }) => [body, traceId !== '', severityNumber]);
  // The main thread hears of the first in the request that has started the thread.
  assert.deepEqual(told.sort(), [
    ['of a thread', true, 0],
    ['of a traced thread', true, 17],
  ]);
});

test('a process without a coordinator: console alone, from the first span on; off unless asked for', async (t) => {
  for (const asked of ['true', 'false']) {
    const endpoint = await OtlpEndpoint.start(t);
    const program = runProgram(t, fixture('logging-app'), {
      args: ['console', 'kill', '3'],
      execArgv: ['--import', 'forktrace/register'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: join(await tempDir(t), 'journal'),
        FORKTRACE_LOGS_CAPTURE_OUTPUT: asked,
      },
    });
    const [, said] = await program.waitForOutput(/(\{"traceId".*\})/);
    await program.waitForExit();
    await endpoint.waitForSpans(1);
    if (asked === 'false') {
      assert.deepEqual(endpoint.logs, []);
      continue;
    }
    const { traceId } = JSON.parse(said!);
    const logs = await endpoint.waitForLogs(3);
    assert.deepEqual(
      logs.map((log) => [log.traceId, log.body]),
      [0, 1, 2].map((n) => [traceId, `line ${n} { n: ${n} }`]),
    );
  }
});
