/** A tool ends before its shipper knows that nobody takes its spans: the next one says so, once. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pidsWithEnvironment } from '../process/alive.js';
import { freePort } from '../process/free-port.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { kill } from '../process/write-coverage.js';

const register = import.meta.resolve('forktrace/register');

for (const execArgv of [
  ['--import', register],
  ['--require', fileURLToPath(register)],
]) {
  test(`${execArgv[0]}: that nobody listens is said by the next tool, once`, async (t) => {
    const dir = await tempDir(t);
    const TMPDIR = await tempDir(t);
    t.after(() =>
      waitFor(() => {
        const pids = pidsWithEnvironment(`TMPDIR=${TMPDIR}`);
        for (const pid of pids) kill(pid);
        return pids.length === 0;
      }, 'the end of the shipper'),
    );
    const tool = async () => {
      const program = runProgram(t, fixture('tool'), {
        args: ['exit', '0', '1'],
        execArgv,
        env: {
          NODE_ENV: 'production',
          OTEL_SERVICE_NAME: 'tools',
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
          FORKTRACE_JOURNAL_DIR: dir,
          TMPDIR,
        },
      });
      assert.equal((await program.waitForExit()).code, 42, program.output);
      return program.stderr;
    };
    const port = await freePort();
    assert.doesNotMatch(await tool(), /EXPORT_FAILED/);
    await waitFor(() => existsSync(join(dir, 'tools', 'shipper.warnings')), 'what the shipper has to say');
    assert.match(
      await tool(),
      /FORKTRACE_EXPORT_FAILED.*After an earlier process had ended: \d+ exports? to http:.*nobody listens there/,
    );
    assert.doesNotMatch(await tool(), /EXPORT_FAILED/);
  });
}
