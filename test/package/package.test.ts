// The packed package, extracted into an empty project: what users get.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { importedPackages, installedWithIt, installPacked, manifest, root } from './installed.js';

const run = promisify(execFile);
const PUBLIC = [
  'ForktraceError',
  'onTracedMessage',
  'requestLink',
  'sendTraced',
  'setRoute',
  'span',
  'startClusterWithTracing',
  'startWorkerTracing',
  'traceFields',
  'traceServer',
  'tracedFork',
  'tracedSpawn',
  'tracedWorker',
  'watchRoutes',
];

let project: string;
let packed: string[];

before(async (t) => {
  project = await tempDir(t as TestContext);
  packed = await installPacked(project, ['@types/node', 'undici-types']);
  await writeFile(join(project, 'package.json'), '{ "type": "module" }');
});

async function program(t: TestContext, name: string, source: string, options = {}) {
  await writeFile(join(project, name), source);
  return runProgram(t, join(project, name), { cwd: project, ...options });
}

test('the package holds what runs, its types and its documentation, and nothing else', () => {
  const others = packed.filter(
    (path) =>
      !/^dist\/.*\.(c?js|d\.c?ts)$/.test(path) &&
      !/^dist\/viewer\/page\/\w[\w.-]*\.(html|css|svg)$/.test(path) &&
      !/^docs\/([\w-]+\.md|(charts|pictures|screenshots)\/[\w-]+\.(svg|png))$/.test(path) &&
      !/^(deploy|examples)\//.test(path),
  );
  assert.deepEqual(others.sort(), [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'dist/mcp/LICENSES',
    'dist/sdk/LICENSES',
    'package.json',
  ]);
  assert.ok(packed.includes('dist/viewer/page/page.js'), 'the bundled page');
});

test('every package that a published file imports is installed with it', async () => {
  const missing: string[] = [];
  for (const path of packed) {
    // The viewer's page is a bundle for browsers.
    if (!/^dist\/.*\.c?js$/.test(path) || path.startsWith('dist/viewer/page/')) continue;
    for (const name of importedPackages(await readFile(join(root, path), 'utf8'))) {
      if (name !== 'forktrace' && !installedWithIt.includes(name)) missing.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(missing, []);
});

test('what a published page links to is published, too', async () => {
  const missing: string[] = [];
  for (const page of packed.filter((path) => path.endsWith('.md'))) {
    const text = await readFile(join(root, page), 'utf8');
    for (const [, target] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const path = join(dirname(page), target!);
      if (!packed.some((one) => one === path || one.startsWith(`${path}/`))) missing.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(missing, []);
});

test('an ES module imports every public name, and nothing that is not public', async (t) => {
  const esm = await program(
    t,
    'names.js',
    `console.log(JSON.stringify([Object.keys(await import('forktrace')), Object.keys(await import('forktrace/pm2'))]))`,
  );
  const [line] = await esm.waitForOutput(/^\[.*\]$/m);
  const [names, pm2] = JSON.parse(line);
  assert.deepEqual(names.sort(), PUBLIC);
  assert.deepEqual(pm2, ['defineEcosystem']);
});

test('CommonJS requires the same names, without a warning', async (t) => {
  const source = `console.log(JSON.stringify([Object.keys(require('forktrace')), Object.keys(require('forktrace/pm2'))]))`;
  const commonjs = await program(t, 'names.cjs', source);
  const [line] = await commonjs.waitForOutput(/^\[.*\]$/m);
  assert.deepEqual(await commonjs.waitForExit(), { code: 0, signal: null });
  const [names, pm2] = JSON.parse(line);
  const required = (all: string[]) => all.filter((name) => name !== '__esModule' && name !== 'module.exports').sort();
  assert.deepEqual(required(names), PUBLIC);
  assert.deepEqual(required(pm2), ['defineEcosystem']);
  assert.equal(commonjs.stderr, '');
});

test('a process that imports and requires it has one forktrace', async (t) => {
  const source = `import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    for (const name of ['forktrace', 'forktrace/pm2', 'forktrace/pino']) {
      const imported = await import(name);
      const required = require(name);
      for (const key of Object.keys(imported)) if (imported[key] !== required[key]) throw new Error(name + ' ' + key);
      if (Object.keys(required).length < 1) throw new Error(name);
    }
    const started = require('forktrace').startWorkerTracing({ export: { to: 'none' } });
    const { startWorkerTracing } = await import('forktrace');
    console.log(startWorkerTracing() === started);`;
  const both = await program(t, 'both.js', source, { env: { FORKTRACE_JOURNAL_DIR: await tempDir(t) } });
  assert.deepEqual(await both.waitForExit(), { code: 0, signal: null }, both.output);
  assert.equal(both.stdout, 'true\n');
});

for (const [name, load] of [
  ['cluster.js', `import { startClusterWithTracing } from 'forktrace';`],
  ['cluster.cjs', `const { startClusterWithTracing } = require('forktrace');`],
] as const) {
  test(`${name} serves a traced request with the installed package`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const source = `${load}
      startClusterWithTracing(() => (request, response) => response.end('hello'), {
        serviceName: 'installed', workers: 1, listen: { port: 0, host: '127.0.0.1' },
      }).then((cluster) => {
        if (cluster.role === 'coordinator') console.log(cluster.workers()[0].address);
      });`;
    const cluster = await program(t, name, source, {
      env: {
        NODE_ENV: 'production',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
      },
    });
    const [address] = await cluster.waitForOutput(/^http:\S+$/m);
    assert.equal(await (await fetch(address)).text(), 'hello');
    const spans = await endpoint.waitForSpans((all) => all.some((span) => span.name === 'GET'));
    assert.equal(spans[0]!.resource['service.name'], 'installed');
    cluster.kill('SIGTERM');
    await cluster.waitForExit();
  });
}

test('the command tells its version', async () => {
  const bin = join(project, 'node_modules/forktrace/dist/cli/main.js');
  assert.match(await readFile(bin, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  const { stdout } = await run(process.execPath, [bin, '--version']);
  assert.equal(stdout.trim(), manifest.version);
});

test('a strict TypeScript program type-checks against the package, for ES modules and CommonJS', async () => {
  const body = `
const app: AppSource = (worker: WorkerContext) => (_request: IncomingMessage, response: ServerResponse) => { response.end(String(worker.slot)); };
const config: TracingConfig = {
  serviceName: 'typed', pipeline: 'journal', export: { to: 'otlp-grpc', url: 'http://localhost:4317' },
  journal: { mode: 'auto' }, http: { trustProxy: true, messageSpans: true }, metrics: { runtime: true },
  hooks: { childExit: ({ slot, code, signal, planned, spansRecovered }) => void [slot, code, signal, planned, spansRecovered] },
};
export const start = (): Promise<ClusterHandle> => startClusterWithTracing(app, config);
export const worker = (): WorkerTracing => startWorkerTracing(config);
export const serve = (server: TraceableServer, options: HttpTracingConfig): void => traceServer(server, options);
export const price = span({ name: 'price', attributes: (sku: string) => ({ sku }) }, (sku: string) => sku.length);
export class Shop {
  @span checkout(): number { return price('a'); }
  @span({ name: 'stock' }) async stock(sku: string): Promise<string> { return sku; }
}
export const fields: string | undefined = traceFields().trace_id;
const child = tracedFork('child.js');
sendTraced(child, { type: 'order' });
export const stop: () => void = onTracedMessage<{ type: string }>(process, ({ type }) => type);
export const isOurs = (error: unknown) => error instanceof ForktraceError && error.code === 'FORKTRACE_WORKER_START';
export const ecosystem = defineEcosystem({ name: 'shop', script: 'server.js', tracing: { pipeline: 'journal' } });
`;
  const head = `import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type AppSource, type ClusterHandle, ForktraceError, type HttpTracingConfig, onTracedMessage, sendTraced, span,
  startClusterWithTracing, startWorkerTracing, type TraceableServer, traceFields, traceServer, tracedFork, type TracingConfig,
  type WorkerContext, type WorkerTracing,
} from 'forktrace';
import { defineEcosystem } from 'forktrace/pm2';
`;
  await writeFile(join(project, 'typed.mts'), head + body);
  await writeFile(join(project, 'typed.cts'), head + body);
  const page = await readFile(join(root, 'docs/getting-started.md'), 'utf8');
  await writeFile(join(project, 'server.mts'), /```ts\n([\s\S]*?)```/.exec(page)![1]!);
  const compilerOptions = { module: 'nodenext', target: 'es2023', strict: true, noEmit: true, types: ['node'] };
  const lib = ['es2023', 'esnext.disposable', 'esnext.decorators'];
  const tsconfig = {
    compilerOptions: { ...compilerOptions, lib, skipLibCheck: false },
    files: ['typed.mts', 'typed.cts', 'server.mts'],
  };
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = await run(process.execPath, [tsc, '-p', project]).catch((error) => error);
  assert.equal(stdout, '');
});
