/** A umask is meant for the app's files: it keeps no other process of the user from a journal. */
import assert from 'node:assert/strict';
import { chownSync } from 'node:fs';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { asUser } from '../process/as-user.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const skip = process.platform === 'win32' ? 'Windows has none' : false;

for (const umask of ['0000', '0177', '0277', '0377', '0777']) {
  test(`umask ${umask}: a tool's spans are delivered, and those of the next`, { skip }, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const TMPDIR = await tempDir(t);
    // Root may read everything.
    if (isRoot) chownSync(TMPDIR, NOBODY, NOBODY);
    const tool = async (mask: string) => {
      const program = runProgram(t, fixture('tool'), {
        node: 'sh',
        execArgv: [
          ...['-c', `umask ${mask} && exec "$@"`, 'sh'],
          ...(isRoot ? asUser(NOBODY, NOBODY) : []),
          ...[process.execPath, '--import', import.meta.resolve('forktrace/register')],
        ],
        args: ['exit', '0', '2'],
        env: { NODE_ENV: 'production', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl, TMPDIR },
      });
      assert.equal((await program.waitForExit()).code, 42, program.output);
      assert.doesNotMatch(program.stderr, /Warning/);
    };
    await tool(umask);
    await endpoint.waitForSpans(3);
    await tool('0022');
    await endpoint.waitForSpans(6);
  });
}
