// Frameworks whose apps are built into a server of their own. Each has the line of docs/http.md that hands
// the route over.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { installedIn } from '../process/frameworks.js';
import { freePort } from '../process/free-port.js';
import { runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${root}test/built-frameworks/`;

interface BuiltFramework {
  command: string;
  args: string[];
  server: string;
  /** Paths, and the names of their SERVER spans. */
  paths: Record<string, string>;
}

const FRAMEWORKS: Record<string, BuiltFramework> = {
  nitro: {
    command: 'nitropack/dist/cli/index.mjs',
    args: ['build'],
    server: '.output/server/index.mjs',
    paths: { '/items/7': 'GET /items/:id', '/items/0': 'GET /items/:id', '/nowhere': 'GET' },
  },
  sveltekit: {
    command: 'vite/bin/vite.js',
    args: ['build'],
    server: 'build/index.js',
    paths: {
      '/items/7': 'GET /items/[id]',
      '/items/0': 'GET /items/[id]',
      '/pages/7': 'GET /pages/[id]',
      '/nowhere': 'GET',
    },
  },
  astro: {
    command: 'astro/astro.js',
    args: ['build'],
    server: 'dist/server/entry.mjs',
    paths: {
      '/items/7': 'GET /items/[id]',
      '/items/0': 'GET /items/[id]',
      '/first': 'GET /[id]',
      '/nowhere/at/all': 'GET',
    },
  },
};

/** As npm installs it: a link would be taken for a part of the app. */
function installForktrace(): void {
  const installed = `${folder}node_modules/forktrace`;
  rmSync(installed, { recursive: true, force: true });
  cpSync(`${root}dist`, `${installed}/dist`, { recursive: true });
  cpSync(`${root}package.json`, `${installed}/package.json`);
}

describe('frameworks that are built before they run', { timeout: 600_000 }, () => {
  for (const [name, { command, args, server, paths }] of Object.entries(FRAMEWORKS)) {
    it(`${name}: one SERVER span per request, with the route`, async (t) => {
      await installedIn('test/built-frameworks');
      installForktrace();
      const dir = `${folder}${name}-app/`;
      const env = { ...process.env, NODE_ENV: 'production', ASTRO_TELEMETRY_DISABLED: '1' };
      execFileSync(process.execPath, [`${folder}node_modules/${command}`, ...args], {
        cwd: dir,
        env,
        stdio: ['ignore', 'ignore', 'inherit'],
        timeout: 170_000,
      });
      const endpoint = await OtlpEndpoint.start(t);
      const port = await freePort();
      const program = runProgram(t, dir + server, {
        cwd: dir,
        execArgv: ['--import', 'forktrace/register'],
        env: {
          NODE_ENV: 'production',
          PORT: String(port),
          HOST: '127.0.0.1',
          OTEL_SERVICE_NAME: name,
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
          FORKTRACE_EXPORT: 'otlp-grpc',
          FORKTRACE_PIPELINE: 'batch',
          OTEL_BSP_SCHEDULE_DELAY: '50',
        },
      });
      const ask = (path: string) =>
        fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } }).then((answer) => answer.text());
      const [first, ...others] = Object.keys(paths);
      const isThere = () =>
        ask(first!).then(
          () => true,
          () => false,
        );
      await waitFor(isThere, () => `${name} answers; output: ${program.output}`);
      for (const path of others) await ask(path);
      const servers = () => endpoint.received().filter(({ kind }) => kind === OtlpSpanKind.SERVER);
      await waitFor(
        () => servers().length >= Object.keys(paths).length,
        () => `spans; output: ${program.output}`,
      );
      const found = servers().map(({ name, attributes }) => [attributes['url.path'], name]);
      assert.deepEqual(Object.fromEntries(found), paths, program.output);
      assert.equal(found.length, Object.keys(paths).length);
    });
  }
});
