// TypeScript programs, run as they are: by a hook in Node.js, or by Node.js itself.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { installedIn } from '../process/frameworks.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { installKind, projectWithForktrace } from './project.js';

const run = promisify(execFile);

let kinds: NodeJS.Require;

before(async () => {
  kinds = await installedIn('test/kinds');
});

const PROGRAM = `
import { span, traceFields, type TraceFields } from 'forktrace';
const work = span({ name: 'work' }, (): TraceFields => traceFields());
console.log('worked', (work() as { trace_id: string }).trace_id);
`;

interface Runner {
  /** The packages that it consists of. */
  packages: string[];
  type: 'module' | 'commonjs';
  /** How the runner is loaded; forktrace comes before or after it. */
  load: string[];
  /** The major of the Node.js version that it needs. */
  node?: string;
}

const RUNNERS: Record<string, Runner> = {
  'tsx, ES module': { packages: ['tsx'], type: 'module', load: ['--import', 'tsx'] },
  'tsx, CommonJS': { packages: ['tsx'], type: 'commonjs', load: ['--import', 'tsx'] },
  'ts-node, CommonJS': {
    packages: ['ts-node', 'typescript', '@types/node'],
    type: 'commonjs',
    load: ['-r', 'ts-node/register/transpile-only'],
  },
  'swc, ES module': {
    packages: ['@swc-node/register'],
    type: 'module',
    load: ['--import', '@swc-node/register/esm-register'],
  },
  'swc, CommonJS': { packages: ['@swc-node/register'], type: 'commonjs', load: ['-r', '@swc-node/register'] },
  'Node.js 22 itself': { packages: [], type: 'module', load: ['--experimental-strip-types'], node: '22' },
};

for (const [name, { packages, type, load, node }] of Object.entries(RUNNERS)) {
  // With --import of anything Node.js loads the program as an ES module, past what has been required for
  // CommonJS.
  const options = load[0] === '-r' ? ['-r'] : ['--import', '-r'];
  const title = options.map((option) => `${option} forktrace/register`).join(' and ');
  test(`${name}: ${title}, before it and after it`, { timeout: 100_000 }, async (t) => {
    const project = await projectWithForktrace(t, type);
    for (const one of packages) await installKind(project, one);
    await writeFile(join(project, 'app.ts'), PROGRAM);
    const compilerOptions = {
      module: type === 'module' ? 'nodenext' : 'commonjs',
      moduleResolution: type === 'module' ? 'nodenext' : 'node10',
      target: 'es2022',
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    for (const option of options) {
      const preload = [option, 'forktrace/register'];
      await delivers(t, project, [...preload, ...load], node);
      await delivers(t, project, [...load, ...preload], node);
    }
  });
}

test('TypeScript finds the types with moduleResolution node10, node16 and bundler', { timeout: 60_000 }, async (t) => {
  const project = await projectWithForktrace(t, 'commonjs');
  await installKind(project, '@types/node');
  await writeFile(
    join(project, 'app.ts'),
    `import { ForktraceError, span, startWorkerTracing, type TracingConfig, type WorkerTracing } from 'forktrace';
import { defineEcosystem } from 'forktrace/pm2';
import { forktraceDestination } from 'forktrace/pino';
import 'forktrace/register';
const config: TracingConfig = { serviceName: 'typed' };
export const tracing: WorkerTracing = startWorkerTracing(config);
export class Shop { @span pay(): number { return 1; } }
export const isOurs = (error: unknown): error is ForktraceError => error instanceof ForktraceError;
export const ecosystem = defineEcosystem({ name: 'shop', script: 'server.js' });
export const write: (line: string) => void = forktraceDestination().write;
// @ts-expect-error: types are found, and checked
startWorkerTracing({ serviceName: 5 });
`,
  );
  const tsc = join(dirname(kinds.resolve('typescript/package.json')), 'bin/tsc');
  for (const [module, moduleResolution] of [
    ['commonjs', 'node10'],
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ]) {
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2022',
      strict: true,
      noEmit: true,
      types: ['node'],
      skipLibCheck: true,
    };
    await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }));
    const { stdout } = await run(process.execPath, [tsc, '-p', project]).catch((error) => error);
    assert.equal(stdout, '', `${moduleResolution}`);
  }
});

async function delivers(t: TestContext, project: string, execArgv: string[], major: string | undefined) {
  const { nodeOf } = (await import(new URL('../../scripts/node-version.mjs', import.meta.url).href)) as {
    nodeOf(major: string): string;
  };
  const endpoint = await OtlpEndpoint.start(t);
  const app = runProgram(t, join(project, 'app.ts'), {
    ...(major !== undefined && { node: nodeOf(major) }),
    cwd: project,
    execArgv,
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'typed',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    },
  });
  const [, traceId] = await app.waitForOutput(/worked (\w+)/);
  assert.equal((await app.waitForExit()).code, 0, app.output);
  const [work] = await endpoint.waitForSpans(1);
  assert.equal(work!.traceId, traceId, execArgv.join(' '));
}
