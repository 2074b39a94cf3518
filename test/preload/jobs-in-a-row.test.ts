import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { shipperPid } from '#src/shipper/lock.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const register = import.meta.resolve('forktrace/register');
const JOBS = 14;

test('jobs that follow each other at any distance leave nothing behind, and share a shipper while it is there', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const shippers = new Set<number>();
  // From one right after another to beyond the time that an idle shipper stays; most of them while one is
  // about to leave.
  for (let job = 0; job < JOBS; job++) {
    const program = runProgram(t, fixture('tool'), {
      args: ['exit', '0', '1'],
      execArgv: ['--import', register],
      env: {
        NODE_ENV: 'production',
        OTEL_SERVICE_NAME: 'jobs',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: dir,
      },
    });
    assert.equal((await program.waitForExit()).code, 42);
    const pid = shipperPid(join(dir, 'jobs'));
    if (pid !== undefined) shippers.add(pid);
    // Distance is what the test varies, and nothing is waited for: no condition stands for it.
    if (job < JOBS - 1) await sleep(job < 3 ? 0 : 1000 + job * 80);
  }
  await endpoint.waitForSpans(2 * JOBS);
  await waitFor(() => shipperPid(join(dir, 'jobs')) === undefined, 'the end of the last shipper');
  assert.equal(endpoint.received().length, 2 * JOBS);
  assert.ok(shippers.size < JOBS, `${shippers.size} shippers for ${JOBS} jobs`);
});
