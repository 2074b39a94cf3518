import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

interface Told {
  name: string;
  attributes: Record<string, unknown>;
}

/** Request, field, theirs, ours. docs/http.md says why. */
const DELIBERATE: [path: string, field: string, theirs: unknown, ours: unknown][] = [
  ['/status/500', 'error.type', undefined, '500'],
  ['/status/302', 'server.address', '[::1]', '::1'],
  ['/dav', 'name', 'PROPFIND', 'HTTP'],
  ['/proxied', 'client.address', '10.1.1.1', '127.0.0.1'],
  ['/leaves', 'status', 0, 2],
  ['/leaves', 'error.type', undefined, 'aborted'],
];

/** Each connection has a port of its own. */
const PEER_PORT = 'network.peer.port';

async function spansBy(who: string): Promise<Told[]> {
  const child = fork(new URL('../fixtures/http-differential.js', import.meta.url), {
    env: { ...process.env, WHO: who, OTEL_SEMCONV_STABILITY_OPT_IN: 'http' },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const [told] = await once(child, 'message', { signal: AbortSignal.timeout(60_000) });
    return told;
  } finally {
    child.kill('SIGKILL');
  }
}

test('SERVER spans are those of @opentelemetry/instrumentation-http, field by field, but for a list of deliberate differences', async () => {
  const [theirs, ours] = await Promise.all([spansBy('instrumentation-http'), spansBy('forktrace')]);
  assert.equal(ours.length, theirs.length);
  const different: unknown[] = [];
  for (const [i, our] of ours.entries()) {
    const their = theirs[i]!;
    const [ourFields, theirFields] = [our, their].map(({ attributes, ...fields }): Record<string, unknown> => {
      assert.equal(typeof attributes[PEER_PORT], 'number');
      return { ...fields, ...attributes, [PEER_PORT]: undefined };
    });
    for (const field of new Set([...Object.keys(theirFields!), ...Object.keys(ourFields!)])) {
      if (isDeepStrictEqual(theirFields![field], ourFields![field])) continue;
      different.push([our.attributes['url.path'], field, theirFields![field], ourFields![field]]);
    }
  }
  assert.deepEqual(different, DELIBERATE);
});
