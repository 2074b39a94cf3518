import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { cannotChangeUser } from '../process/as-user.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

interface Flushed {
  result: unknown;
  ms: number;
  shutdown: string;
}

async function start(t: TestContext, env: Record<string, string> = {}) {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('flushing'), {
    ipc: true,
    env: {
      OTEL_SERVICE_NAME: 'flushing',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      ...env,
    },
  });
  const flush = async (by: 'provider' | 'tracing', timeoutMillis?: number, asNobody = false) => {
    program.child.send({ by, timeoutMillis, asNobody });
    const [flushed] = (await once(program.child, 'message', { signal: AbortSignal.timeout(40_000) })) as [Flushed];
    return flushed;
  };
  return { endpoint, flush };
}

const settings: [string, Record<string, string>][] = [
  ['the journal', {}],
  ['the journal in mode write', { FORKTRACE_JOURNAL_MODE: 'write' }],
  ['the journal, shipped inline', { FORKTRACE_SHIP: 'inline' }],
  ['the batch pipeline', { FORKTRACE_PIPELINE: 'batch' }],
  ['a parent in the environment', { TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }],
];

describe('forceFlush', { timeout: 120_000 }, () => {
  for (const [what, env] of settings) {
    it(`resolves when the spans are with the endpoint, with ${what}`, async (t) => {
      const { endpoint, flush } = await start(t, env);
      for (const [index, by] of (['tracing', 'provider'] as const).entries()) {
        const { result, shutdown } = await flush(by, 20_000);
        // At this moment, and not some time after it. The SDK's provider resolves with nothing.
        assert.equal(endpoint.received().length, 10 * (index + 1));
        if (env.FORKTRACE_PIPELINE !== 'batch' || by === 'tracing') assert.equal(result, true);
        assert.equal(shutdown, 'function');
      }
    });
  }

  it('resolves with false at its deadline when the endpoint does not answer', async (t) => {
    const { endpoint, flush } = await start(t);
    endpoint.answerWith({ answer: 'hang' });
    for (const by of ['tracing', 'provider'] as const) {
      const { result, ms } = await flush(by, 700);
      assert.equal(result, false);
      assert.ok(ms >= 690 && ms < 5000, `${ms} ms`);
    }
    endpoint.answerWith({ answer: 'ok' });
  });

  for (const mode of ['mmap', 'write']) {
    const skip = cannotChangeUser();
    it(`means delivered, too, when the process may no longer enter its journal: mode ${mode}`, { skip }, async (t) => {
      const { endpoint, flush } = await start(t, { FORKTRACE_JOURNAL_MODE: mode });
      endpoint.answerWith({ answer: 'hang' });
      assert.equal((await flush('tracing', 700, true)).result, false);
      endpoint.answerWith({ answer: 'ok' });
      assert.equal((await flush('tracing', 30_000, true)).result, true);
      assert.equal(new Set(endpoint.received().map(({ spanId }) => spanId)).size, 20);
    });
  }

  it('waits for nothing when it has no time', async (t) => {
    const { endpoint, flush } = await start(t);
    endpoint.answerWith({ answer: 'unavailable' });
    const { result, ms } = await flush('tracing', 0);
    assert.equal(result, false);
    assert.ok(ms < 500, `${ms} ms`);
  });
});
