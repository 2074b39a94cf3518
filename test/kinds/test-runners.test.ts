// The recipes of docs/test-runners.md: the file that takes a worker down is named.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { installedIn } from '../process/frameworks.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { installKind, projectWithForktrace } from './project.js';
import { writeRecipes } from './recipe.js';

before(async () => {
  await installedIn('test/kinds');
});

const KILL = `process.kill(process.pid, 'SIGKILL')`;
/** A thread cannot be killed; this ends it as a crash does, with nothing run after it. */
const EXIT = 'process.reallyExit(3)';

const VITEST = (death: string) => ({
  'adds.test.js': `import { span } from 'forktrace'; import { expect, test } from 'vitest';
    const add = span({ name: 'code under test' }, async (a, b) => a + b);
    test('adds', async () => expect(await add(1, 1)).toBe(2));`,
  'dies.test.js': `import { test } from 'vitest'; test('dies', () => { ${death}; });`,
});

interface Run {
  packages: string[];
  args: string[];
  /** Relative to the project. */
  program: string;
  files: Record<string, string>;
  env?: Record<string, string>;
  /** Whether each test is a span, too. */
  tests: boolean;
}

const vitest = (pool: string, death: string): Run => ({
  packages: ['vitest'],
  program: 'node_modules/vitest/vitest.mjs',
  args: ['run', '--pool', pool, '--maxWorkers', '2'],
  files: VITEST(death),
  tests: true,
});

const RUNS: Record<string, Run> = {
  'Vitest, forks': vitest('forks', KILL),
  'Vitest, threads': vitest('threads', EXIT),
  'Vitest, vmForks': vitest('vmForks', KILL),
  'Vitest, vmThreads': vitest('vmThreads', EXIT),
  Jest: {
    packages: ['jest'],
    program: 'node_modules/jest/bin/jest.js',
    args: ['--maxWorkers', '2', '--config', 'jest.config.cjs'],
    files: {
      'adds.test.cjs': `test('adds', () => expect(1 + 1).toBe(2));`,
      'again.test.cjs': `test('adds again', () => expect(1 + 1).toBe(2));`,
      'dies.test.cjs': `test('dies', () => { ${KILL}; });`,
    },
    tests: true,
  },
  'node:test': {
    packages: [],
    program: '--test',
    args: [],
    files: {
      'adds.test.js': `import test from 'node:test'; test('adds', () => {});`,
      'dies.test.js': `import test from 'node:test'; test('dies', () => { ${KILL}; });`,
    },
    env: { FORKTRACE_ROOT_SPAN: 'true' },
    tests: false,
  },
};

for (const [name, { packages, program, args, files, env, tests }] of Object.entries(RUNS)) {
  test(`${name}: the file that took its worker down is an interrupted span`, { timeout: 90_000 }, async (t) => {
    const project = await projectWithForktrace(t, 'module');
    for (const one of packages) await installKind(project, one);
    await writeRecipes('test-runners.md', project);
    for (const [file, source] of Object.entries(files)) await writeFile(join(project, file), source);
    const endpoint = await OtlpEndpoint.start(t);
    const isNodeTest = program.startsWith('--');
    const runner = runProgram(t, isNodeTest ? program : join(project, program), {
      cwd: project,
      args,
      execArgv: isNodeTest ? ['--import', 'forktrace/register'] : [],
      env: {
        NODE_ENV: 'test',
        OTEL_SERVICE_NAME: 'tests',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
        ...env,
      },
    });
    assert.notEqual((await runner.waitForExit(60_000)).code, 0, runner.output);

    const isThere = (spans: readonly ReceivedSpan[], file: string) => spans.some((span) => span.name.endsWith(file));
    const spans = await endpoint.waitForSpans((all) => Object.keys(files).every((file) => isThere(all, file)));
    for (const file of Object.keys(files)) {
      const span = spans.find((one) => one.name.endsWith(file))!;
      assert.equal(span.attributes['forktrace.interrupted'], file.startsWith('dies') ? true : undefined, file);
    }
    if (!tests) return;
    const added = spans.find((span) => span.name === 'adds')!;
    assert.equal(added.parentSpanId, spans.find((span) => span.name.endsWith(Object.keys(files)[0]!))!.spanId);
    const code = spans.find((span) => span.name === 'code under test');
    assert.equal(code?.parentSpanId, packages.includes('vitest') ? added.spanId : undefined);
  });
}

const PACKAGES = [
  ...['jest', '@jest/globals', 'babel-jest', 'ts-jest', '@swc/jest', 'typescript', '@types/node'],
  ...['@babel/preset-env', '@babel/preset-typescript', '@babel/plugin-proposal-decorators'],
];
const SHOP = `
import { span, traceFields } from 'forktrace';
export class Shop {
  @span pay(): object { return traceFields(); }
  @span({ name: 'stock' }) static async stock(): Promise<object> { return traceFields(); }
}
`;
const SHOP_TEST = (shop: string) => `
import { expect, test } from '@jest/globals';
import { Shop } from './${shop}';
test('a decorated method runs in its span', async () => {
  const ids = { trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) };
  expect(new Shop().pay()).toMatchObject(ids);
  expect(await Shop.stock()).toMatchObject(ids);
});
`;

const swc = (transform: object) => [
  '@swc/jest',
  {
    module: { type: 'commonjs' },
    jsc: { parser: { syntax: 'typescript', decorators: true }, transform, target: 'es2022' },
  },
];
const tsJest = (experimentalDecorators: boolean) => [
  'ts-jest',
  { tsconfig: { module: 'commonjs', moduleResolution: 'node10', target: 'es2022', experimentalDecorators } },
];
const babel = (version: string) => [
  'babel-jest',
  {
    presets: [['@babel/preset-env', { targets: { node: 'current' } }], '@babel/preset-typescript'],
    plugins: [['@babel/plugin-proposal-decorators', { version }]],
  },
];
/** What compiles the project's TypeScript to CommonJS, with each dialect of decorators. */
const TRANSFORMS: Record<string, unknown> = {
  'ts-jest': tsJest(false),
  'ts-jest-legacy': tsJest(true),
  swc: swc({ decoratorVersion: '2022-03' }),
  'swc-legacy': swc({ legacyDecorator: true, decoratorMetadata: true }),
  babel: babel('2023-11'),
  'babel-legacy': babel('legacy'),
};

test('Jest loads a class with @span from CommonJS TypeScript, whatever compiles it', {
  timeout: 120_000,
}, async (t) => {
  const project = await projectWithForktrace(t, 'commonjs');
  for (const one of PACKAGES) await installKind(project, one);
  await writeRecipes('test-runners.md', project);
  for (const name of Object.keys(TRANSFORMS)) {
    await writeFile(join(project, `shop-${name}.ts`), SHOP);
    await writeFile(join(project, `${name}.test.ts`), SHOP_TEST(`shop-${name}`));
  }
  const projects = Object.entries(TRANSFORMS).map(([name, transform]) => ({
    displayName: name,
    testMatch: [`**/${name}.test.ts`],
    transform: { '\\.ts$': transform },
  }));
  const config = `const recipe = require('./jest.typescript.config.cjs');
const projects = ${JSON.stringify(projects)};
module.exports = { projects: projects.map((project) => ({ ...recipe, ...project })) };`;
  await writeFile(join(project, 'jest.all.config.cjs'), config);
  const endpoint = await OtlpEndpoint.start(t);
  const runner = runProgram(t, join(project, 'node_modules/jest/bin/jest.js'), {
    cwd: project,
    args: ['--runInBand', '--config', 'jest.all.config.cjs'],
    env: {
      NODE_ENV: 'test',
      OTEL_SERVICE_NAME: 'tests',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    },
  });
  assert.equal((await runner.waitForExit(100_000)).code, 0, runner.output);
  const named = (spans: readonly ReceivedSpan[], name: string) => spans.filter((span) => span.name === name);
  const { length } = projects;
  await endpoint.waitForSpans((all) => named(all, 'Shop.pay').length >= length && named(all, 'stock').length >= length);
});
