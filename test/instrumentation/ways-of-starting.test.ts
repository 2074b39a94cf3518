import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { instrumentedProject, runInstrumented } from './instrumented-program.js';

const FEW = { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'express,undici', FORKTRACE_INSTRUMENTATIONS: '' };
const EXPRESS = '@opentelemetry/instrumentation-express';

/** A cluster in one file, which imports what is instrumented at its top. Worker 0 asks itself. */
const cluster = (forktrace: string, instrumentations: string) => `
import express from 'express';
import { ExpressInstrumentation } from '${EXPRESS}';
import { startClusterWithTracing } from '${forktrace}dist/index.js';
const handle = await startClusterWithTracing(
  () => {
    const app = express();
    app.get('/items/:id', (request, response) => response.end('ok'));
    return app;
  },
  { workers: 2, listen: { port: 0, host: '127.0.0.1' }, instrumentations: ${instrumentations} },
);
if (handle.role === 'coordinator') {
  const response = await fetch(handle.workers()[0].address + '/items/1');
  await response.text();
  await handle.shutdown();
}
`;

test("startClusterWithTracing with instrumentations 'auto': what the file itself imports has spans, and one worker says what is on", async (t) => {
  const project = await instrumentedProject(t, 'two');
  const path = project.write('cluster.mjs', cluster(project.forktrace, "'auto'"));
  const { program, spans } = await runInstrumented(t, project, path, { env: FEW, execArgv: [] });
  await program.waitForExit();
  const received = await spans(3);
  const express = received.filter(({ scope }) => scope.name === EXPRESS);
  const server = received.find(({ kind }) => kind === OtlpSpanKind.SERVER);
  assert.ok(express.length > 0, program.output);
  assert.deepEqual(new Set(express.map(({ traceId }) => traceId)), new Set([server!.traceId]));
  assert.equal(program.output.match(/2 instrumentations of .*: express, undici/g)?.length, 1, program.output);
  assert.doesNotMatch(program.output, /TOO_EARLY|Warning|unwrap/);
});

test('instrumentations of a function come too late for what the file imports, and that is said by name', async (t) => {
  const project = await instrumentedProject(t, 'two');
  const path = project.write('cluster.mjs', cluster(project.forktrace, '() => [new ExpressInstrumentation()]'));
  const { program } = await runInstrumented(t, project, path, { env: FEW, execArgv: [] });
  await program.waitForExit();
  assert.match(program.output, /\[FORKTRACE_LOADED_TOO_EARLY\] .*: express was loaded before its instrumentation/);
});

const OTHER = '@opentelemetry/auto-instrumentations-node/register';
const ORDERS: [string, (ours: string) => string[]][] = [
  ['before ours', (ours) => ['--require', OTHER, '--import', ours]],
  ['after ours', (ours) => ['--import', ours, '--import', OTHER]],
];

for (const [order, execArgv] of ORDERS) {
  test(`OpenTelemetry's register ${order}: its SDK stays, each span is there once, and the message keeps the spans of databases`, async (t) => {
    const project = await instrumentedProject(t, 'two');
    const path = project.write(
      'app.cjs',
      `const server = require('express')().get('/', (request, response) => response.end()).listen(0, '127.0.0.1', async () => {
         await (await fetch('http://127.0.0.1:' + server.address().port)).text();
         setTimeout(() => process.exit(), 500);
       });`,
    );
    const { program } = await runInstrumented(t, project, path, {
      env: {
        FORKTRACE_INSTRUMENTATIONS: '',
        OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,express,undici',
        OTEL_TRACES_EXPORTER: 'console',
        OTEL_BSP_SCHEDULE_DELAY: '50',
        OTEL_NODE_RESOURCE_DETECTORS: 'none',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
      },
      execArgv: execArgv(`${project.forktrace}dist/register.js`),
    });
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
    for (const name of ['GET', 'GET /', 'request handler']) {
      assert.equal(program.stdout.split(`name: '${name}'`).length - 1, 1, `${name}: ${program.stdout}`);
    }
    assert.match(
      program.stderr,
      /\[FORKTRACE_REGISTERED_TWICE\].* Remove @opentelemetry\/auto-instrumentations-node\/register from the command line and leave the package installed/,
    );
    assert.doesNotMatch(program.stderr, /instrumentations of/);
  });
}

test('stopping takes back what instrumentations have patched, and prints nothing', async (t) => {
  const project = await instrumentedProject(t, 'two');
  const path = project.write(
    'app.mjs',
    `import http from 'node:http';
     import { startWorkerTracing } from '${project.forktrace}dist/index.js';
     const { get } = http;
     const tracing = startWorkerTracing({ instrumentations: 'auto' });
     const patched = http.get !== get;
     await import('express');
     await import('pg');
     await import('ioredis');
     await tracing.shutdown();
     console.log(patched, http.get === get);`,
  );
  const { program } = await runInstrumented(t, project, path, { execArgv: [] });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.equal(program.stdout, 'true true\n');
  assert.doesNotMatch(program.stderr, /unwrap|Warning/);
});

test('instrumentations measure with the real meter provider', async (t) => {
  const project = await instrumentedProject(t, 'two');
  const path = project.write(
    'app.mjs',
    `import { createServer } from 'node:http';
     const server = createServer((request, response) => response.end('ok')).listen(0, '127.0.0.1', async () => {
       await (await fetch('http://127.0.0.1:' + server.address().port)).text();
       server.close();
       server.closeAllConnections();
     });`,
  );
  const { program } = await runInstrumented(t, project, path, { env: { OTEL_METRICS_EXPORTER: 'console' } });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  for (const name of ['http.client.request.duration', 'http.server.request.duration', 'nodejs.eventloop.utilization']) {
    assert.match(program.stdout, new RegExp(`name: '${name.replaceAll('.', '\\.')}'`));
  }
});
