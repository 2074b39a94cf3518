import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { shipperPid } from '#src/shipper/lock.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

/** Each of them is 4 to 14 MB in every worker, and a traced HTTP/1 server needs none. */
const HEAVY_BUILTIN = /^NativeModule (https|http2|tls|internal\/deps\/undici\/undici)$/;
const HEAVY_PACKAGE =
  /node_modules\/(@grpc\/|@opentelemetry\/(?!api\/))|dist\/sdk\/(?!context-manager|propagators|samplers|chunk-)/;

test('a worker with a journal loads neither the SDK nor what its server does not use', async (t) => {
  const dir = await tempDir(t);
  const endpoint = await OtlpEndpoint.start(t);
  const worker = fork(fileURLToPath(new URL('../fixtures/loaded-modules.cjs', import.meta.url)), {
    env: {
      ...process.env,
      FORKTRACE_JOURNAL_DIR: dir,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      NODE_ENV: 'production',
    },
    execArgv: ['--import', new URL('../fixtures/record-modules.js', import.meta.url).href],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  t.after(() => worker.kill('SIGKILL'));
  const [{ builtins, files }] = (await once(worker, 'message', { signal: AbortSignal.timeout(30_000) })) as [
    { builtins: string[]; files: string[] },
  ];
  if (worker.exitCode === null) await once(worker, 'exit', { signal: AbortSignal.timeout(30_000) });
  await endpoint.waitForSpans(1);
  await waitFor(() => shipperPid(join(dir, 'loaded')) === undefined, 'the end of the shipper');
  assert.ok(builtins.includes('NativeModule http'), 'the list has what is loaded');
  assert.ok(
    files.some((file) => file.includes('/dist/bundle-start.cjs')),
    'the list has what is loaded',
  );
  assert.deepEqual(
    builtins.filter((name) => HEAVY_BUILTIN.test(name)),
    [],
  );
  assert.deepEqual(
    files.filter((file) => HEAVY_PACKAGE.test(file)),
    [],
  );
});
