import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { installedIn } from '../process/frameworks.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { copyEntryPoints, installForktrace, projectWithForktrace } from './project.js';

type Format = 'esm' | 'cjs';
type Bundler = (
  project: string,
  entry: string,
  outfile: string,
  format: Format,
  external: readonly string[],
) => Promise<void>;

/** As rollup and webpack name a package with all its entry points. */
const withSubpaths = (names: readonly string[]) => names.map((name) => new RegExp(`^${name}(/|$)`));

let bundlers: Record<'esbuild' | 'rollup' | 'webpack', Bundler>;

before(async () => {
  const require = await installedIn('test/kinds');
  const esbuild = require('esbuild');
  const { rollup } = require('rollup');
  const { nodeResolve } = require('@rollup/plugin-node-resolve');
  const webpack = require('webpack');
  bundlers = {
    esbuild: async (project, entry, outfile, format, external) => {
      await esbuild.build({
        absWorkingDir: project,
        entryPoints: [entry],
        outfile,
        format,
        platform: 'node',
        bundle: true,
        external: [...external],
        logLevel: 'error',
      });
    },
    rollup: async (project, entry, outfile, format, external) => {
      const bundle = await rollup({
        input: join(project, entry),
        external: withSubpaths(external),
        plugins: [nodeResolve({ preferBuiltins: true })],
        onwarn: () => {},
      });
      await bundle.write({ file: join(project, outfile), format, inlineDynamicImports: true });
      await bundle.close();
    },
    webpack: async (project, entry, outfile, format, external) => {
      const stats: { hasErrors(): boolean; toString(options: string): string } = await new Promise((resolve, reject) =>
        webpack(
          {
            mode: 'none',
            context: project,
            entry: `./${entry}`,
            target: 'node20',
            externals: withSubpaths(external),
            externalsType: format === 'esm' ? 'module' : 'commonjs',
            experiments: { outputModule: format === 'esm' },
            output: {
              path: project,
              filename: outfile,
              module: format === 'esm',
              chunkFormat: format === 'esm' ? 'module' : 'commonjs',
            },
          },
          (error: Error | null, result: never) => (error ? reject(error) : resolve(result)),
        ),
      );
      if (stats.hasErrors()) throw new Error(stats.toString('errors-only'));
    },
  };
});

/** Says in a file that it has begun: one that was started as a companion would have no other output. */
const BEGINS = `import { appendFileSync } from 'node:fs';
appendFileSync('starts.txt', process.pid + '\\n');`;
const WORKS = `span({ name: 'work' }, () => console.log('worked', traceFields().trace_id))();`;

const SOURCES = {
  'import.js': `${BEGINS}
import { span, startClusterWithTracing, startWorkerTracing, traceFields } from 'forktrace';
if (process.argv[2] === 'cluster')
  startClusterWithTracing(
    () => (request, response) => { ${WORKS} response.end(); },
    { workers: 1, listen: { port: 0, host: '127.0.0.1' } },
  ).then((cluster) => { if (cluster.role === 'coordinator') fetch(cluster.workers()[0].address); });
else {
  if (process.argv[2] === 'worker') startWorkerTracing();
  ${WORKS}
}`,
  'register.js': `import 'forktrace/register';
${BEGINS}
import { trace } from '@opentelemetry/api';
trace.getTracer('app').startActiveSpan('work', (span) => { span.end(); console.log('worked', span.spanContext().traceId); });`,
  'require.cjs': `require('node:fs').appendFileSync('starts.txt', process.pid + '\\n');
const { span, startWorkerTracing, traceFields } = require('forktrace');
startWorkerTracing();
${WORKS}`,
};

/** How each is run; with how many starts of the program itself. */
const RUNS: Record<keyof typeof SOURCES, [way: string, starts: number][]> = {
  'import.js': [
    ['worker', 1],
    ['preload', 1],
    ['cluster', 2],
  ],
  'register.js': [['', 1]],
  'require.cjs': [['', 1]],
};

for (const bundler of ['esbuild', 'rollup', 'webpack'] as const) {
  for (const format of ['esm', 'cjs'] as const) {
    for (const entry of Object.keys(SOURCES) as (keyof typeof SOURCES)[]) {
      // rollup bundles ES modules.
      if (entry === 'require.cjs' && (bundler === 'rollup' || format === 'esm')) continue;
      for (const external of [['forktrace', '@opentelemetry/api'], []]) {
        if (external.length > 0 && entry !== 'import.js') continue;
        const where = external.length > 0 ? 'outside' : 'inside';
        test(`${bundler}, ${format}, ${entry}, forktrace ${where}`, { timeout: 60_000 }, async (t) => {
          const project = await projectWithForktrace(t, 'module');
          await copyEntryPoints(project);
          await writeFile(join(project, entry), SOURCES[entry]);
          // The name that forktrace's own programs have, too.
          const outfile = format === 'esm' ? 'main.js' : 'main.cjs';
          await bundlers[bundler](project, entry, outfile, format, external);

          await installForktrace(project);
          if (where === 'outside') return delivers(t, project, outfile, 'worker', 1);
          for (const [way, starts] of RUNS[entry]) await delivers(t, project, outfile, way, starts);
          await rm(join(project, 'node_modules'), { recursive: true });
          await saysWhatToDo(t, project, outfile);
        });
      }
    }
  }
}

async function delivers(t: TestContext, project: string, program: string, way: string, starts: number) {
  const endpoint = await OtlpEndpoint.start(t);
  await rm(join(project, 'starts.txt'), { force: true });
  const app = runProgram(t, join(project, program), {
    cwd: project,
    args: [way],
    execArgv: way === 'preload' ? ['--import', 'forktrace/register'] : [],
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'bundled',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    },
  });
  const [, traceId] = await app.waitForOutput(/worked (\w+)/);
  const spans = await endpoint.waitForSpans((all) => all.some(({ name }) => name === 'work'));
  assert.equal(spans.find(({ name }) => name === 'work')!.traceId, traceId);
  if (way === 'cluster') {
    app.kill('SIGTERM');
    await app.waitForExit();
  } else assert.equal((await app.waitForExit()).code, 0, app.output);
  const started = await readFile(join(project, 'starts.txt'), 'utf8');
  assert.equal(started.trim().split('\n').length, starts, 'nothing else has started the program');
}

async function saysWhatToDo(t: TestContext, project: string, program: string) {
  await rm(join(project, 'starts.txt'), { force: true });
  const app = runProgram(t, join(project, program), { cwd: project, env: { NODE_ENV: 'production' } });
  assert.equal((await app.waitForExit()).code, 1, app.output);
  assert.match(app.stderr, /FORKTRACE_BUNDLED/);
  assert.match(app.stderr, /bundled into .*main\.c?js, and the package is not installed there/);
  assert.match(app.stderr, /esbuild --external:forktrace/);
  assert.doesNotMatch(app.stdout, /worked/);
}
