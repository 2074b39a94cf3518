import assert from 'node:assert/strict';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { installedIn } from '../process/frameworks.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const OLDER = join(root, 'test/instrumentations/two/node_modules/@opentelemetry/api');
const NEWER = join(root, 'test/instrumentations/three/node_modules/@opentelemetry/api');

/** Jobs without a server, which get a tracer at their first line. */
const JOBS = {
  'job.mjs': `import { trace } from '@opentelemetry/api';\n`,
  'job.cjs': `const { trace } = require('@opentelemetry/api');\n`,
};
const WORK = `const tracer = trace.getTracer('job');
tracer.startActiveSpan('work', (span) => { tracer.startSpan('part').end(); span.end(); });
`;

const TSX = join(root, 'test/kinds/node_modules/tsx/dist/loader.mjs');

async function run(t: TestContext, job: keyof typeof JOBS, ofApp: string, ofForktrace?: string, loader?: string) {
  await Promise.all([installedIn('test/instrumentations/two'), installedIn('test/instrumentations/three')]);
  const dir = await tempDir(t);
  const installed = join(dir, 'node_modules/forktrace');
  await cp(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(join(root, 'package.json'), join(installed, 'package.json'));
  await cp(ofApp, join(dir, 'node_modules/@opentelemetry/api'), { recursive: true });
  if (ofForktrace) {
    await mkdir(join(installed, 'node_modules/@opentelemetry'), { recursive: true });
    await cp(ofForktrace, join(installed, 'node_modules/@opentelemetry/api'), { recursive: true });
  }
  await writeFile(join(dir, job), JOBS[job] + WORK);
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, join(dir, job), {
    cwd: dir,
    execArgv: [...(loader ? ['--import', pathToFileURL(loader).href] : []), '--import', 'forktrace/register'],
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'job',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint.httpUrl,
      FORKTRACE_PIPELINE: 'batch',
    },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  const spans = await endpoint.waitForSpans(2);
  assert.deepEqual(spans.map(({ name }) => name).sort(), ['part', 'work'], program.output);
  const work = spans.find(({ name }) => name === 'work')!;
  assert.equal(spans.find(({ name }) => name === 'part')!.parentSpanId, work.spanId, 'context is shared, too');
  assert.doesNotMatch(program.stderr, /Warning/);
}

for (const job of Object.keys(JOBS) as (keyof typeof JOBS)[]) {
  test(`${job} without a server, API 1.9`, (t) => run(t, job, OLDER));
  test(`${job} without a server, API 1.10, which is a copy for ES modules and one for CommonJS`, (t) =>
    run(t, job, NEWER));
  test(`${job} without a server: the app has API 1.10, forktrace 1.9`, (t) => run(t, job, NEWER, OLDER));
  test(`${job} without a server: the app has API 1.9, forktrace 1.10`, (t) => run(t, job, OLDER, NEWER));
}

test('API 1.10 under tsx, where what an ES module imports cannot be had by require', async (t) => {
  await installedIn('test/kinds');
  await run(t, 'job.mjs', NEWER, undefined, TSX);
});
