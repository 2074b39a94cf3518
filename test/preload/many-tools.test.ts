import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { pidsWithEnvironment } from '../process/alive.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const register = import.meta.resolve('forktrace/register');
const TOOLS = 60;
const AT_ONCE = 4;
/** A companion takes longer to boot. */
const LOOK_MS = 20;

test(`${TOOLS} short tools, ${AT_ONCE} at once, share a few shippers, and all is delivered`, async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const tempFiles = await tempDir(t);
  const env = {
    NODE_ENV: 'production',
    OTEL_SERVICE_NAME: 'tools',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
    FORKTRACE_JOURNAL_DIR: await tempDir(t),
    TMPDIR: tempFiles,
  };
  const tools = new Set<number>();
  const seen = new Set<number>();
  const running = () => pidsWithEnvironment(`TMPDIR=${tempFiles}`).filter((pid) => !tools.has(pid));
  let left = TOOLS;
  const lane = async () => {
    while (left-- > 0) {
      const tool = runProgram(t, fixture('tool'), { args: ['exit', '0', '1'], execArgv: ['--import', register], env });
      tools.add(tool.pid);
      assert.equal((await tool.waitForExit()).code, 42);
    }
  };
  let done = false;
  const watch = async () => {
    for (; !done; await sleep(LOOK_MS)) for (const pid of running()) seen.add(pid);
  };
  const watching = watch();
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    await endpoint.waitForSpans(2 * TOOLS);
    await waitFor(() => running().length === 0, 'the end of the last shipper');
  } finally {
    done = true;
    await watching;
  }
  assert.equal(endpoint.received().length, 2 * TOOLS);
  // Each is launched by a process of its own. Those that start before the first one has booted find that it
  // is there, and end.
  const started = [...seen].filter((pid) => !tools.has(pid)).length / 2;
  assert.ok(started >= 1 && started <= TOOLS / 3, `${started} shippers started for ${TOOLS} tools`);
});
