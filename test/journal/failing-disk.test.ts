// A disk that fails under a service that serves on: what is lost of its spans is said, by the process that
// knows.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { ENDED } from '../fixtures/soak-writing.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { DISK_FAULTS, mountFailing } from './mounted.js';

/** Of two requests: a shipper cannot store on such a disk that the last ones were taken. */
const UNSTORED = 300;

const FAULTS = Object.keys(DISK_FAULTS) as (keyof typeof DISK_FAULTS)[];
const IS_XFS = /\bxfs\b/;

async function startWriter(t: TestContext, dir: string, mode: 'write' | 'mmap') {
  const progress = join(await tempDir(t), 'progress');
  mkdirSync(progress);
  const endpoint = await OtlpEndpoint.start(t);
  const writer = runProgram(t, fixture('soak-writer'), {
    ipc: true,
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'shop',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: dir,
      FORKTRACE_JOURNAL_MODE: mode,
      SOAK_PROGRESS: progress,
    },
  });
  await endpoint.waitForSpans(100);
  return { endpoint, writer, progress };
}

// A store to a page of an xfs that has shut itself down may be answered by SIGBUS: docs/journal-format.md.
for (const fault of FAULTS)
  for (const mode of IS_XFS.test(fault) ? (['write'] as const) : (['write', 'mmap'] as const))
    test(`${fault}, ${mode} mode: the process goes on, and all that is missing is said`, async (t) => {
      const disk = mountFailing(t, fault);
      if (disk === undefined) return;
      const { endpoint, writer, progress } = await startWriter(t, disk.dir, mode);
      const written = () =>
        readdirSync(progress).reduce(
          (sum, name) => sum + Number(readFileSync(join(progress, name), 'utf8').replace(ENDED, '')),
          0,
        );
      disk.fail();
      const before = written();
      // What is mapped takes stores for as long as there is room.
      if (mode === 'write') await writer.waitForOutput(/Spans lost: \d+, because no file can be written in /);
      await writer.waitFor(() => written() > before + 200, 'spans without a disk');
      writer.send({ end: true });
      assert.deepEqual(await writer.waitForExit(), { code: 0, signal: null }, writer.output);
      const lost = () =>
        [...writer.stderr.matchAll(/Spans lost: (\d+),/g)].reduce((sum, [, spans]) => sum + Number(spans), 0);
      // The root span is one more.
      const all = written() + 1;
      // The shipper delivers when the process has ended.
      await waitFor(
        () => new Set(endpoint.received().map(({ name }) => name)).size + lost() >= all,
        () => `${all} spans: ${endpoint.received().length} received, ${lost()} said to be lost`,
      );
      const names = new Set(endpoint.received().map(({ name }) => name));
      const excess = names.size + lost() - all;
      assert.ok(excess >= 0 && excess <= (IS_XFS.test(fault) ? UNSTORED : 0), `${excess} too many`);
      assert.equal(names.size, endpoint.received().length, 'none twice');
    });

for (const fault of FAULTS)
  test(`${fault}: a process that is killed there leaves no shipper that holds it`, async (t) => {
    const disk = mountFailing(t, fault);
    if (disk === undefined) return;
    const { writer } = await startWriter(t, disk.dir, 'write');
    disk.fail();
    writer.kill('SIGKILL');
    await writer.waitForExit();
    await waitFor(disk.unmount, 'nobody has anything open there');
  });
