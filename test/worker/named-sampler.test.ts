// The sampler behind each name of OTEL_TRACES_SAMPLER.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { createSampler } from '#src/worker/sampler.js';
import { runProgram } from '../process/run-program.js';
import { installedAlone } from './installed-alone.js';

type Name = Parameters<typeof createSampler>[0] extends infer S ? (S extends { name: infer N } ? N : never) : never;

const LOW = '00000000000000000000000000000001';
/** The SDK takes a ratio of the parts of an id, put together by exclusive or. */
const HIGH = '000000000000000000000000f0000000';
const RECORDED = 2;

/** Whether it keeps a root span, and children of a sampled and of an unsampled remote parent. */
function kept(name: Name, traceId = LOW): boolean[] {
  const sampler = createSampler({ name, ratio: 0.5, remote: { 'service.name': 'shop' } });
  const parent = (traceFlags: TraceFlags) =>
    trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: '0000000000000001', traceFlags, isRemote: true });
  const contexts = [ROOT_CONTEXT, parent(TraceFlags.SAMPLED), parent(TraceFlags.NONE)];
  return contexts.map(
    (context) => sampler.shouldSample(context, traceId, 'span', SpanKind.SERVER, {}, []).decision === RECORDED,
  );
}

test('each name decides as the specification says', () => {
  assert.deepEqual(kept('always_on'), [true, true, true]);
  assert.deepEqual(kept('always_off'), [false, false, false]);
  assert.deepEqual(kept('traceidratio'), [true, true, true]);
  assert.deepEqual(kept('traceidratio', HIGH), [false, false, false]);
  assert.deepEqual(kept('parentbased_always_on'), [true, true, false]);
  assert.deepEqual(kept('parentbased_always_off'), [false, true, false]);
  assert.deepEqual(kept('parentbased_traceidratio'), [true, true, false]);
  assert.deepEqual(kept('parentbased_traceidratio', HIGH), [false, true, false]);
});

test('a sampler of the user is used as it is', () => {
  const own = { shouldSample: () => ({ decision: RECORDED }), toString: () => 'own' };
  assert.equal(createSampler(own as never), own);
});

test('a name whose package is not installed is warned about once, with the command, and the default sampler is used', async (t) => {
  const dir = await installedAlone(t);
  await writeFile(
    join(dir, 'app.mjs'),
    `import { startWorkerTracing } from 'forktrace';
     import { trace } from '@opentelemetry/api';
     const warnings = [];
     process.on('warning', (warning) => warnings.push(warning.code + ' ' + warning.message));
     const tracing = startWorkerTracing({ export: { to: 'none' } });
     const isRecording = trace.getTracer('app').startSpan('work').isRecording();
     await tracing.shutdown();
     setImmediate(() => process.send({ warnings, isRecording }));`,
  );
  const packages = {
    xray: '@opentelemetry/sampler-aws-xray',
    jaeger_remote: '@opentelemetry/sampler-jaeger-remote',
    parentbased_jaeger_remote: '@opentelemetry/sampler-jaeger-remote',
  };
  for (const [sampler, name] of Object.entries(packages)) {
    const program = runProgram(t, join(dir, 'app.mjs'), {
      ipc: true,
      cwd: dir,
      env: { FORKTRACE_JOURNAL_DIR: dir, OTEL_TRACES_SAMPLER: sampler },
    });
    const told = (await program.waitForMessage(() => true)) as { warnings: string[]; isRecording: boolean };
    assert.equal(told.isRecording, true);
    assert.equal(told.warnings.length, 1, told.warnings.join('; '));
    assert.match(told.warnings[0]!, /^FORKTRACE_\w+ .*OTEL_TRACES_SAMPLER.*not installed/);
    assert.ok(told.warnings[0]!.includes(`npm install ${name}`), told.warnings[0]);
  }
});
