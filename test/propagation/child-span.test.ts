import assert from 'node:assert/strict';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { propagation, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { tracedFork, tracedSpawn } from 'forktrace';
import { traceChildren } from '#src/propagation/child-span.js';
import { fixture } from '../process/run-program.js';
import { recordSpans } from '../span/recorded-spans.js';

const { take } = recordSpans();
propagation.setGlobalPropagator(new W3CTraceContextPropagator());

before(() => traceChildren(true));

function only(name: string) {
  const spans = take().filter((span) => span.name === name);
  assert.equal(spans.length, 1, name);
  return spans[0]!;
}

test('a spawned program has a span with its exit code, ERROR unless that is 0', async () => {
  for (const code of [0, 3]) {
    const child = tracedSpawn('/bin/sh', ['-c', `exit ${code}`]);
    await once(child, 'exit');
    const { kind, attributes, status } = only('sh');
    assert.equal(kind, SpanKind.CLIENT);
    assert.deepEqual(attributes, {
      'process.executable.name': 'sh',
      'process.pid': child.pid,
      'process.exit.code': code,
      ...(code !== 0 && { 'error.type': '3' }),
    });
    assert.equal(status.code, code === 0 ? SpanStatusCode.UNSET : SpanStatusCode.ERROR);
  }
});

test('a line for a shell is not the name of a program: it may hold a secret', async () => {
  for (const [shell, name] of [
    [true, 'sh'],
    ['/bin/bash', 'bash'],
  ] as const) {
    await once(tracedSpawn('true --token abc/def', { shell }), 'exit');
    assert.equal(only(name).attributes['process.executable.name'], name);
  }
});

test('one that is killed has the signal', async () => {
  const child = tracedSpawn('sleep', ['30']);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { attributes, status } = only('sleep');
  assert.equal(attributes['forktrace.exit.signal'], 'SIGKILL');
  assert.equal(attributes['process.exit.code'], undefined);
  assert.equal(status.message, 'ended with SIGKILL');
});

test('one that is not there has the error, which the app gets as it would have', async () => {
  const [error] = await once(tracedSpawn('no-such-program', { stdio: 'ignore' }), 'error');
  assert.equal(error.code, 'ENOENT');
  const { attributes } = only('no-such-program');
  assert.equal(attributes['error.type'], 'ENOENT');
});

test('the span is the parent of the first span of a forked child', async () => {
  const child = tracedFork(fixture('traced-child'), ['spans']);
  const [{ spans }] = await once(child, 'message');
  await once(child, 'exit');
  assert.equal(spans[0].parent, only('traced-child.js').spanContext().spanId);
});

test('without the option there is none', async () => {
  traceChildren(false);
  await once(tracedSpawn('/bin/sh', ['-c', 'exit 0']), 'exit');
  assert.deepEqual(take(), []);
});
