// A program whose shipper cannot be started: its Node.js has been replaced, or the system has no process
// left.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

for (const ending of ['exit', 'shutdown']) {
  test(`${ending}: how many spans stay, where, why, and what delivers them is said at the end`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const dir = await tempDir(t);
    const env = {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'alone',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: dir,
    };
    const program = runProgram(t, fixture('without-node'), { args: [ending], env });
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
    const place = join(dir, 'alone');
    const said = `FORKTRACE_SPANS_LEFT\\] ForktraceWarning: 5 spans left in ${place}, as no shipper could be started \\(.*ENOENT.*\\): .* forktrace ship ${place}`;
    assert.match(program.stderr, new RegExp(said));
  });
}
