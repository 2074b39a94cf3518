// The documented commands, in empty projects, with the packages that the registry serves today. Without a
// registry these are skipped, and say so; FORKTRACE_TEST_INSTALL=1 makes that a failure.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
const npmCli = join(
  dirname(realpathSync(spawnSync('which', ['npm'], { encoding: 'utf8' }).stdout.trim())),
  'npm-cli.js',
);
const required = process.env.FORKTRACE_TEST_INSTALL === '1' || process.env.CI === 'true';
const reachable = required || spawnSync('npm', ['ping'], { timeout: 10_000, stdio: 'ignore' }).status === 0;
const skip = !reachable && 'SKIPPED: the npm registry cannot be reached';

const OUTGOING = '@opentelemetry/instrumentation-undici @opentelemetry/instrumentation-http';

/** OTLP's numbers of the kinds of spans. */
const SERVER = 2;
const CLIENT = 3;

/**
 * What is installed, one `npm install` after the other, and the variables that the program then runs with.
 */
const PROJECTS: { commands: string[]; env?: Record<string, string>; client: boolean }[] = [
  { commands: ['forktrace'], client: false },
  { commands: [`forktrace ${OUTGOING}`], env: { FORKTRACE_OUTGOING: 'true' }, client: true },
  { commands: ['forktrace', OUTGOING], env: { FORKTRACE_OUTGOING: 'true' }, client: true },
  { commands: ['@opentelemetry/api@1.10', 'forktrace'], client: false },
  { commands: ['@opentelemetry/api@1.9', 'forktrace'], client: false },
];

/** Each major has a file of its own, which the test runner bounds in time. */
export function testInstall(major: string): void {
  let tarball: string;

  before(async (t) => {
    if (skip) return;
    const dir = await tempDir(t as TestContext);
    const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', dir];
    const { stdout } = await run('npm', pack, { cwd: root });
    const [{ filename }] = Object.values(JSON.parse(stdout)) as [{ filename: string }];
    tarball = join(dir, filename);
  });

  for (const { commands, env, client } of PROJECTS) {
    const said = commands.map((packages) => `npm i ${packages}`).join(', then ');
    test(`Node ${major}: ${said}: no conflict, and spans`, { skip, timeout: 180_000 }, async (t) => {
      const { nodeOf } = (await import(new URL('../../scripts/node-version.mjs', import.meta.url).href)) as {
        nodeOf(major: string): string;
      };
      const node = nodeOf(major);
      const project = await tempDir(t);
      await writeFile(join(project, 'package.json'), '{ "private": true }');
      for (const packages of commands) {
        const names = packages.split(' ').map((name) => (name === 'forktrace' ? tarball : name));
        const PATH = `${dirname(node)}:${process.env.PATH}`;
        const installed = await run(node, [npmCli, 'install', '--no-audit', '--no-fund', ...names], {
          cwd: project,
          env: { ...userEnvironment(), PATH },
        });
        assert.doesNotMatch(installed.stderr, /ERESOLVE|EBADENGINE/, said);
      }
      const endpoint = await OtlpEndpoint.start(t);
      await writeFile(
        join(project, 'server.mjs'),
        `import { createServer } from 'node:http';
         const server = createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1', async () => {
           await (await fetch('http://127.0.0.1:' + server.address().port + '/')).text();
           console.log('served');
         });`,
      );
      const program = runProgram(t, join(project, 'server.mjs'), {
        node,
        cwd: project,
        execArgv: ['--import', 'forktrace/register'],
        env: {
          NODE_ENV: 'production',
          OTEL_SERVICE_NAME: 'installed',
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
          FORKTRACE_JOURNAL_DIR: await tempDir(t),
          ...env,
        },
      });
      await program.waitForOutput(/^served$/m);
      const kinds = client ? [SERVER, CLIENT] : [SERVER];
      const spans = await endpoint.waitForSpans(kinds.length);
      assert.deepEqual(spans.map(({ kind }) => kind).sort(), kinds, program.stderr);
      assert.equal(program.exit, undefined, program.stderr);
      program.kill('SIGTERM');
      await program.waitForExit();
    });
  }
}

/**
 * This process's environment without what `npm test` adds, which would make npm install into this package.
 */
function userEnvironment(): NodeJS.ProcessEnv {
  const added = /^(npm_(lifecycle|package|command|execpath|node_execpath|config_local_prefix|config_prefix)|INIT_CWD$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !added.test(name)));
}
