// Runtimes that are not Node.js.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { installedIn } from '../process/frameworks.js';
import { tempDir } from '../process/temp-dir.js';
import { projectWithForktrace } from './project.js';

const run = promisify(execFile);

let require: NodeJS.Require;

before(async () => {
  require = await installedIn('test/kinds');
});

const PROGRAM = `
import { trace } from '@opentelemetry/api';
import { startWorkerTracing } from 'forktrace';
const tracing = startWorkerTracing();
trace.getTracer('app').startActiveSpan('work', (span) => span.end());
await tracing.shutdown();
console.log('worked');
`;

const ARCH = process.arch === 'arm64' ? 'arm64' : 'x64';

const RUNTIMES: [name: string, platform: string, binary: string, args: string[]][] = [
  ['Deno', `@deno/linux-${ARCH}-glibc`, 'deno', ['run', '--allow-all', '--node-modules-dir=manual']],
  ['Bun', `@oven/bun-linux-${process.arch === 'arm64' ? 'aarch64' : 'x64'}`, 'bin/bun', ['run']],
];

for (const [name, platform, binary, args] of RUNTIMES) {
  for (const pipeline of ['journal', 'batch']) {
    test(`${name} delivers its spans, pipeline ${pipeline}`, { timeout: 60_000 }, async (t) => {
      const endpoint = await OtlpEndpoint.start(t);
      const project = await projectWithForktrace(t, 'module');
      await writeFile(join(project, 'app.js'), PROGRAM);
      const runtime = join(dirname(require.resolve(`${platform}/package.json`)), binary);
      const { stdout } = await run(runtime, [...args, 'app.js'], {
        cwd: project,
        timeout: 40_000,
        env: {
          PATH: process.env.PATH,
          HOME: project,
          NODE_ENV: 'production',
          FORKTRACE_PIPELINE: pipeline,
          FORKTRACE_JOURNAL_DIR: await tempDir(t),
          OTEL_SERVICE_NAME: name,
          OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.httpBaseUrl,
        },
      });
      assert.match(stdout, /worked/);
      const [work] = await endpoint.waitForSpans(1);
      assert.equal(work!.name, 'work');
      assert.equal(work!.resource['service.name'], name);
    });
  }
}
