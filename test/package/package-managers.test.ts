// Package managers that lay out packages in their own way: nothing is found that a package has not asked for.
// They fetch from the registry.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { installedIn } from '../process/frameworks.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const required = process.env.FORKTRACE_TEST_INSTALL === '1' || process.env.CI === 'true';
const reachable = required || spawnSync('npm', ['ping'], { timeout: 10_000, stdio: 'ignore' }).status === 0;
const skip = !reachable && 'SKIPPED: the npm registry cannot be reached';

/**
 * Each with its program, from the package that it comes in, and the file that makes it lay out packages so.
 */
const MANAGERS = {
  'yarn with Plug’n’Play': {
    command: '@yarnpkg/cli-dist/bin/yarn.js',
    install: ['install', '--no-immutable'],
    run: ['node'],
    files: { '.yarnrc.yml': 'nodeLinker: pnp\nenableGlobalCache: false\nenableTelemetry: false\n', 'yarn.lock': '' },
  },
  pnpm: {
    command: 'pnpm/bin/pnpm.cjs',
    install: ['install', '--no-frozen-lockfile'],
    run: ['exec', 'node'],
    files: { '.npmrc': 'store-dir=.store\n' },
  },
};

let tarball: string;

before(async (t) => {
  if (skip) return;
  await installedIn('test/kinds');
  const dir = await tempDir(t as TestContext);
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', dir];
  const { stdout } = await run('npm', pack, { cwd: root, maxBuffer: 16 * 1024 * 1024 });
  const [{ filename }] = Object.values(JSON.parse(stdout)) as [{ filename: string }];
  tarball = join(dir, filename);
});

for (const [name, { command, install, run: runs, files }] of Object.entries(MANAGERS)) {
  test(`${name}: spans of ES modules and CommonJS are delivered`, { skip, timeout: 150_000 }, async (t) => {
    const project = await tempDir(t);
    const dependencies = { forktrace: `file:${tarball}`, '@opentelemetry/api': '1.9.1' };
    await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'app', type: 'module', dependencies }));
    for (const [file, content] of Object.entries(files)) await writeFile(join(project, file), content);
    const body = `span({ name: 'work' }, () => console.log('worked', traceFields().trace_id))();`;
    await writeFile(join(project, 'app.js'), `import { span, traceFields } from 'forktrace';\n${body}`);
    await writeFile(join(project, 'app.cjs'), `const { span, traceFields } = require('forktrace');\n${body}`);
    const program = join(root, 'test/kinds/node_modules', command);
    await run(process.execPath, [program, ...install], { cwd: project });

    for (const args of [
      ['--import', 'forktrace/register', 'app.js'],
      ['-r', 'forktrace/register', 'app.cjs'],
    ]) {
      const endpoint = await OtlpEndpoint.start(t);
      const app = runProgram(t, program, {
        cwd: project,
        args: [...runs, ...args],
        env: {
          NODE_ENV: 'production',
          OTEL_SERVICE_NAME: 'managed',
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
          FORKTRACE_JOURNAL_DIR: await tempDir(t),
        },
      });
      const [, traceId] = await app.waitForOutput(/worked (\w+)/);
      assert.equal((await app.waitForExit()).code, 0, app.output);
      const [work] = await endpoint.waitForSpans(1);
      assert.equal(work!.traceId, traceId, args.join(' '));
    }
  });
}
