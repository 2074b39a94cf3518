import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const register = import.meta.resolve('forktrace/register');

for (const pipeline of ['journal', 'batch']) {
  test(`${pipeline}: the first span of the first line has ids, and traceFields() has them too`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const program = runProgram(t, fixture('tool'), {
      args: ['empty', '0', '3'],
      execArgv: ['--import', register],
      env: {
        NODE_ENV: 'production',
        FORKTRACE_PIPELINE: pipeline,
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
      },
    });
    const { traceId, spanId, fields } = JSON.parse((await program.waitForOutput(/^\{.*\}$/m))[0]);
    assert.match(traceId, /^(?!0{32})[0-9a-f]{32}$/);
    assert.deepEqual(fields, { trace_id: traceId, span_id: spanId, trace_flags: '01' });
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
    const spans = await endpoint.waitForSpans(4);
    assert.equal(spans.find(({ name }) => name === 'tool')!.spanId, spanId);
    assert.ok(spans.every((span) => span.traceId === traceId));
    assert.deepEqual(
      spans.filter(({ name }) => name !== 'tool').map(({ parentSpanId }) => parentSpanId),
      [spanId, spanId, spanId],
    );
  });
}

test('startWorkerTracing() has tracing in place when it returns, awaited or not', async (t) => {
  const program = runProgram(t, fixture('started-at-once'), {
    env: { FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  assert.deepEqual(JSON.parse(program.stdout), { recording: true, fields: true, same: true });
});

test('a wrong variable ends the process before it listens, with one message', async (t) => {
  for (const execArgv of [['--import', register], []]) {
    const program = runProgram(t, fixture(execArgv.length > 0 ? 'unaware-server' : 'plain-server'), {
      execArgv,
      env: { FORKTRACE_PIPELINE: 'bogus', TRACING_CONFIG: '{}' },
    });
    assert.equal((await program.waitForExit()).code, 1);
    assert.equal(program.stdout, '', 'nothing has listened');
    assert.equal(program.stderr.match(/FORKTRACE_PIPELINE: got "bogus"/g)?.length, 1);
    assert.match(program.stderr, /FORKTRACE_ENV_INVALID/);
  }
});

test('probes that connect and reset at once, as load balancers do, leave no trace and hold nothing', async (t) => {
  const program = runProgram(t, fixture('probed-server'), {
    execArgv: ['--import', register],
    env: { NODE_ENV: 'production', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
    ipc: true,
  });
  const port = Number((await program.waitForOutput(/^listening (\d+)/m))[1]);
  for (let i = 0; i < 20; i++) {
    const socket = connect(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.resetAndDestroy();
    await new Promise((resolve) => socket.once('close', resolve));
  }
  program.send({ close: true });
  await program.waitForOutput(/^closed/m);
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  assert.doesNotMatch(program.stderr, /Error|Warning/);
});
