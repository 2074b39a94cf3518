/**
 * Programs end with the preload as they end without: exit code, signal, output, the order of their listeners.
 * `ENDINGS=all` runs every program of the table, in both ways; else those that tell most are run, each in
 * one.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { type Program, programs } from './endings.js';

const MODULES = { fs: 'fs', http: 'http', threads: 'worker_threads', children: 'child_process' };
const SPANS = `const tracer = trace.getTracer('endings');
tracer.startSpan('ended').end();
tracer.startSpan('open');
const say = (text) => fs.writeSync(1, text + '\\n');
`;

const WAYS = {
  '--import': {
    file: 'program.mjs',
    imports: [
      ...Object.entries(MODULES).map(([name, module]) => `import ${name} from 'node:${module}';`),
      `import { trace } from ${JSON.stringify(import.meta.resolve('@opentelemetry/api'))};`,
    ],
    preload: import.meta.resolve('forktrace/register'),
  },
  '--require': {
    file: 'program.cjs',
    imports: [
      ...Object.entries(MODULES).map(([name, module]) => `const ${name} = require('node:${module}');`),
      `const { trace } = require(${JSON.stringify(fileURLToPath(import.meta.resolve('@opentelemetry/api')))});`,
    ],
    preload: fileURLToPath(new URL('register.cjs', import.meta.resolve('forktrace/register'))),
  },
};
type Way = keyof typeof WAYS;

const AT_ONCE = 3;
const all = process.env.ENDINGS === 'all';

async function end(t: TestContext, path: string, program: Program, execArgv: string[], env: Record<string, string>) {
  const { nodeOptions, signals = [] } = program;
  const run = runProgram(t, path, {
    execArgv,
    // Coverage is written by code of its own, at the end.
    env: { NODE_ENV: 'production', NODE_OPTIONS: nodeOptions, NODE_V8_COVERAGE: undefined, ...env },
  });
  for (const [index, signal] of signals.entries()) {
    await run.waitFor(() => run.stdout.split('\n').length > index + 1, `line ${index + 1}`);
    run.kill(signal);
  }
  const { code, signal } = await run.waitForExit();
  // Frames of the stack may be forktrace's; what stands above them is the app's.
  const stderr = run.stderr
    .replace(/\(node:\d+\)/g, '(node)')
    .split('\n')
    .filter((line) => !/^\s+at /.test(line));
  const isNative = nodeOptions?.includes('abort');
  return { code, signal, stdout: run.stdout, stderr: isNative ? [] : stderr };
}

for (const [index, way] of (Object.keys(WAYS) as Way[]).entries()) {
  test(`${way}: programs end as untraced`, async (t) => {
    const { file, imports, preload } = WAYS[way];
    const endpoint = await OtlpEndpoint.start(t);
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      FORKTRACE_QUIET: '1',
    };
    const waiting = Object.entries(programs)
      .filter(([, { always }]) => all || always)
      .filter(([, { awaits }], nth) => (all || awaits ? way === '--import' || !awaits : nth % 2 === index));
    const wrong: Record<string, unknown> = {};
    const next = async (): Promise<void> => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        const [name, program] = one;
        const path = join(await tempDir(t), file);
        await writeFile(path, `${imports.join('\n')}\n${SPANS}${program.code}\n`);
        const untraced = await end(t, path, program, [], {});
        const traced = await end(t, path, program, [way, preload], env);
        if (JSON.stringify(untraced) !== JSON.stringify(traced)) wrong[name] = { untraced, traced };
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    assert.deepEqual(wrong, {});
  });
}
