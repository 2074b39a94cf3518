import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { OtlpSpanKind, type ReceivedSpan } from '../endpoint/received-span.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { instrumentedProject, type Line, runInstrumented } from './instrumented-program.js';

/** One request by `fetch` to an Express app, which logs and asks itself once more by `http`. */
const APP = `
import express from 'express';
import { get, createServer } from 'node:http';
import { pino } from 'pino';
const log = pino();
const app = express();
app.get('/items/:id', (request, response) => {
  log.info('asked');
  get({ port: server.address().port, path: '/stock', agent: false }, (stock) => {
    stock.resume().on('end', () => response.end('ok'));
  });
});
app.get('/stock', (request, response) => response.end('1'));
const server = createServer(app).listen(0, '127.0.0.1', async () => {
  await (await fetch('http://127.0.0.1:' + server.address().port + '/items/1')).text();
  server.close();
  server.closeAllConnections();
});
`;
const asCommonJs = (source: string) => source.replace(/^import (.+) from (.+);$/gm, 'const $1 = require($2);');
const PROGRAMS = { 'app.mjs': APP, 'app.cjs': asCommonJs(APP) };

const scopes = (spans: readonly ReceivedSpan[]) => new Set(spans.map(({ scope }) => scope.name));
const scopeOf = (name: string) => `@opentelemetry/instrumentation-${name}`;
/** Of these alone the number of spans is the same in every version. */
const FEW = { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http, undici,express,pino' };

/** Those of the 3.x line need a newer Node.js than the oldest that forktrace runs on. */
const LINES: Line[] = Number(process.versions.node.split('.')[0]) >= 22 ? ['two', 'three'] : ['two'];

for (const line of LINES) {
  for (const [name, source] of Object.entries(PROGRAMS)) {
    test(`preload, line ${line}, ${name}: what is installed is enabled, each request has one SERVER span, and logs have ids and are exported`, async (t) => {
      const project = await instrumentedProject(t, line);
      const { program, spans, logs } = await runInstrumented(t, project, project.write(name, source), {
        env: { ...FEW, OTEL_LOGS_EXPORTER: 'otlp' },
      });
      assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
      const received = await spans(6);
      const servers = received.filter(({ kind }) => kind === OtlpSpanKind.SERVER);
      const clients = received.filter(({ kind }) => kind === OtlpSpanKind.CLIENT);
      assert.deepEqual(servers.map((one) => [one.name, one.scope.name]).sort(), [
        ['GET /items/:id', 'forktrace'],
        ['GET /stock', 'forktrace'],
      ]);
      assert.deepEqual(clients.map(({ scope }) => scope.name).sort(), [scopeOf('http'), scopeOf('undici')]);
      assert.equal(new Set(received.map(({ traceId }) => traceId)).size, 1, 'one trace');
      assert.ok(scopes(received).has(scopeOf('express')), [...scopes(received)].join());
      const logged = JSON.parse(/^\{.*"msg":"asked".*\}$/m.exec(program.stdout)![0]);
      assert.equal(logged.trace_id, received[0]!.traceId);
      // What the instrumentation hands to a logger that it has got before there was a provider.
      const [record] = await logs(1);
      assert.deepEqual(
        [record!.body, record!.scope.name, record!.traceId],
        ['asked', scopeOf('pino'), logged.trace_id],
      );
      const said = program.stderr.split('\n').filter((text) => text !== '');
      assert.equal(said.length, 2, program.stderr);
      assert.match(
        said[1]!,
        /^forktrace: 4 instrumentations of @opentelemetry\/auto-instrumentations-node \d\S+: express, http, pino, undici$/,
      );
    });
  }
}

test('OTEL_NODE_DISABLED_INSTRUMENTATIONS takes some away, and a name that is not installed is warned about', async (t) => {
  const project = await instrumentedProject(t, 'two');
  const { program, spans } = await runInstrumented(t, project, project.write('app.mjs', APP), {
    env: {
      OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,undici,express,nothing',
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express',
    },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.deepEqual([...scopes(await spans(4))].sort(), [scopeOf('http'), scopeOf('undici'), 'forktrace']);
  assert.match(
    program.stderr,
    /\[FORKTRACE_ENV_IGNORED\].*OTEL_NODE_ENABLED_INSTRUMENTATIONS: nothing is not installed/,
  );
});

test('without the meta package each installed instrumentation is enabled', async (t) => {
  const program = runProgram(t, fixture('unaware-server'), {
    execArgv: ['--import', import.meta.resolve('forktrace/register')],
    env: { FORKTRACE_INSTRUMENTATIONS: 'auto', FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
  await program.waitForOutput(/"port"/);
  assert.match(program.stderr, /forktrace: \d+ instrumentations: .*http \d\S+, .*undici \d\S+/);
});

test('none installed: nothing of instrumentations is loaded', async (t) => {
  const dir = await tempDir(t);
  await writeFile(
    `${dir}/app.cjs`,
    `require('node:http').createServer().listen(0, '127.0.0.1', function () {
       const loaded = Object.keys(require.cache);
       console.log(JSON.stringify(loaded.filter((file) => /instrumentation\\/(?!installed|package-manifest|enabled)|import-in-the-middle/.test(file))));
       this.close();
     });`,
  );
  const program = runProgram(t, `${dir}/app.cjs`, {
    execArgv: ['--import', import.meta.resolve('forktrace/register')],
    env: { FORKTRACE_INSTRUMENTATIONS: '', FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.equal(program.stdout.trim(), '[]');
});

test('the instrumentation of fs sees what the app does, before and after tracing starts, and never what tracing does for its spans', async (t) => {
  const project = await instrumentedProject(t, 'two');
  const path = project.write(
    'app.cjs',
    `const { trace } = require('@opentelemetry/api');
     const { readFileSync } = require('node:fs');
     const { setTimeout: sleep } = require('node:timers/promises');
     const tracer = trace.getTracer('job');
     (async () => {
       for (let n = 0; n < 20; n++) {
         tracer.startActiveSpan('work', (span) => {
           readFileSync(__filename);
           span.end();
         });
         await sleep(20);
       }
     })();`,
  );
  for (const mode of ['mmap', 'write']) {
    const { program, spans } = await runInstrumented(t, project, path, {
      env: { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'fs', FORKTRACE_JOURNAL_MODE: mode },
    });
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
    const received = await spans(40);
    const work = new Set(received.filter(({ name }) => name === 'work').map(({ spanId }) => spanId));
    assert.equal(work.size, 20);
    const within = received.filter(({ parentSpanId }) => work.has(parentSpanId)).map(({ name }) => name);
    assert.deepEqual(within, Array(20).fill('fs readFileSync'), mode);
  }
});
