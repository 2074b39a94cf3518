import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** As `npm install -g` does it: the package with what it depends on, and a copy of the API of its own. */
function installGlobally(dir: string): string {
  const installed = join(dir, 'lib/node_modules/forktrace');
  cpSync(join(ROOT, 'dist'), join(installed, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'));
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    mkdirSync(dirname(join(installed, 'node_modules', name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(installed, 'node_modules', name));
  }
  const api = 'node_modules/@opentelemetry/api';
  cpSync(join(ROOT, api), join(installed, api), { recursive: true });
  return join(installed, 'dist/cli/main.js');
}

test('forktrace run, installed globally, enables what the app has installed, in ES modules and CommonJS', async (t) => {
  const dir = await tempDir(t);
  const command = installGlobally(dir);
  mkdirSync(join(dir, 'app'));
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'app/node_modules'));
  const app = `const log = pino();
    const app = (request, response) => {
      log.info('asked');
      trace.getTracer('app').startSpan('work').end();
      response.end('hello');
    };`;
  writeFileSync(
    join(dir, 'app/app.mjs'),
    `import { pino } from 'pino';\nimport { trace } from '@opentelemetry/api';\n${app}\nexport default app;`,
  );
  writeFileSync(
    join(dir, 'app/app.cjs'),
    `const { pino } = require('pino');\nconst { trace } = require('@opentelemetry/api');\n${app}\nmodule.exports = app;`,
  );
  for (const name of ['app.mjs', 'app.cjs']) {
    const endpoint = await OtlpEndpoint.start(t);
    const port = await freePort();
    const program = runProgram(t, command, {
      args: ['run', name, '-w', '1', '-p', String(port)],
      cwd: join(dir, 'app'),
      env: {
        NODE_ENV: 'production',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        // As if it were unset: tests set it to none.
        FORKTRACE_INSTRUMENTATIONS: '',
        OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,pino',
        TMPDIR: join(dir, 'tmp'),
      },
    });
    mkdirSync(join(dir, 'tmp'), { recursive: true });
    await program.waitForOutput(/serving at/);
    assert.match(program.stderr, /forktrace: 2 instrumentations: http \S+, pino \S+/);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.equal(await response.text(), 'hello');
    const spans = await endpoint.waitForSpans((spans) =>
      ['GET', 'work'].every((wanted) => spans.some(({ name }) => name === wanted)),
    );
    const [request, work] = ['GET', 'work'].map((wanted) => spans.find(({ name }) => name === wanted)!);
    assert.equal(work!.traceId, request!.traceId, name);
    await program.waitForOutput(/"msg":"asked"/);
    assert.equal(JSON.parse(/^\{.*"msg":"asked".*\}$/m.exec(program.stdout)![0]).trace_id, request!.traceId, name);
    program.kill('SIGTERM');
    await program.waitForExit();
  }
});
