import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

test('with @opentelemetry/instrumentation-http: one SERVER span a request, CLIENT spans stay, one warning', async () => {
  const child = fork(new URL('../fixtures/instrumented-twice.js', import.meta.url), { stdio: 'ignore' });
  try {
    const [told] = await once(child, 'message');
    assert.deepEqual(told, {
      spans: [
        { kind: 'SERVER', scope: 'forktrace' },
        { kind: 'CLIENT', scope: '@opentelemetry/instrumentation-http' },
        { kind: 'SERVER', scope: 'forktrace' },
        { kind: 'CLIENT', scope: '@opentelemetry/instrumentation-http' },
      ],
      parents: 'each SERVER span is the child of the CLIENT span that called it',
      warnings: ['FORKTRACE_HTTP_INSTRUMENTED_TWICE'],
    });
  } finally {
    child.kill('SIGKILL');
  }
});
