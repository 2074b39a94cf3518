// An app that starts an SDK, or makes instrumentations, in its own code under `--import forktrace/register`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instrumentedProject, runInstrumented } from './instrumented-program.js';

/** Two requests, one of which the other one's handler sends; tells what the app's own exporter got. */
const APP = `
const { InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici');
const { NodeSDK } = require('@opentelemetry/sdk-node');
const { SpanKind, trace } = require('@opentelemetry/api');
const warnings = [];
process.on('warning', ({ code, message }) => warnings.push([code, message]));
const exporter = new InMemorySpanExporter();
const spanProcessors = [new SimpleSpanProcessor(exporter)];
START
const http = require('node:http');
let received;
const server = http.createServer(async (request, response) => {
  if (request.url === '/outer') await (await fetch('http://127.0.0.1:' + server.address().port + '/inner')).text();
  else received = request.headersDistinct.traceparent;
  trace.getTracer('app').startSpan('work').end();
  response.end();
}).listen(0, '127.0.0.1', () => {
  http.get({ port: server.address().port, path: '/outer', agent: false }, (response) => response.resume().on('end', () => {
    server.close();
    server.closeAllConnections();
    setTimeout(() => {
      const spans = exporter.getFinishedSpans().map((span) => SpanKind[span.kind] + ' ' + span.name);
      console.log(JSON.stringify({ spans: spans.sort(), received: received.length, warnings }));
    }, 100);
  }));
});
`;
/** Made where they are needed: before tracing has started, or after. */
const MADE = 'instrumentations: [new HttpInstrumentation(), new UndiciInstrumentation()]';
const NODE_SDK = `new NodeSDK({ spanProcessors, ${MADE} }).start();`;
const OWN = `registerInstrumentations({ ${MADE} });`;
const PROVIDER = `new NodeTracerProvider({ spanProcessors }).register(); ${OWN}`;
const EARLY = "trace.getTracer('app').startSpan('early').end();";

const SPANS = ['CLIENT GET', 'CLIENT GET', 'INTERNAL work', 'INTERNAL work', 'SERVER GET', 'SERVER GET'];
/** OTLP's kinds. */
const KINDS = ['', 'INTERNAL', 'SERVER', 'CLIENT'];

interface Way {
  what: string;
  start: string;
  theirs?: string[];
  ours?: string[];
  warning?: RegExp;
  env?: Record<string, string>;
}

const ways: Way[] = [
  {
    what: 'NodeSDK.start() comes first',
    start: NODE_SDK,
    theirs: SPANS,
    warning: /its tracer provider stays in use\. Remove one of the two/,
  },
  {
    what: 'provider.register() comes first',
    start: PROVIDER,
    theirs: SPANS,
    warning: /its tracer provider stays in use\. Remove one of the two/,
  },
  {
    what: 'NodeSDK.start() comes late',
    start: EARLY + NODE_SDK,
    ours: ['INTERNAL early', ...SPANS],
    warning: /it is not used/,
  },
  {
    what: 'provider.register() comes late',
    start: EARLY + PROVIDER,
    ours: ['INTERNAL early', ...SPANS],
    warning: /it is not used/,
  },
  { what: 'the app has instrumentations and no SDK', start: OWN, ours: SPANS },
  {
    what: 'the app has instrumentations, and FORKTRACE_OUTGOING enables the same',
    start: OWN,
    ours: SPANS,
    env: { FORKTRACE_INSTRUMENTATIONS: 'none', FORKTRACE_OUTGOING: 'true' },
  },
  {
    what: 'the app has instrumentations after tracing has started, and FORKTRACE_OUTGOING enables the same',
    start: EARLY + OWN,
    ours: ['INTERNAL early', ...SPANS],
    env: { FORKTRACE_INSTRUMENTATIONS: 'none', FORKTRACE_OUTGOING: 'true' },
  },
];

for (const { what, start, theirs = [], ours = [], warning, env } of ways) {
  test(`${what}: one SDK gets all spans, each once, and that is said once`, async (t) => {
    const project = await instrumentedProject(t, 'two');
    const { program, spans } = await runInstrumented(
      t,
      project,
      project.write('app.cjs', APP.replace('START', start)),
      {
        env: {
          OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,undici',
          OTEL_METRICS_EXPORTER: 'none',
          OTEL_LOGS_EXPORTER: 'none',
          ...env,
        },
      },
    );
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
    const told = JSON.parse(/^\{.*\}$/m.exec(program.stdout)![0]);
    assert.deepEqual(told.spans, theirs, program.output);
    assert.equal(told.received, 1);
    const exported = (await spans(ours.length)).map(({ kind, name }) => `${KINDS[kind]} ${name}`);
    assert.deepEqual(exported.sort(), [...ours].sort());
    // Of instrumentation-http in the app's code, which has incoming requests as well.
    const about = told.warnings.filter(([code]: string[]) => code !== 'FORKTRACE_HTTP_INSTRUMENTED_TWICE');
    assert.deepEqual(
      about.map(([code]: string[]) => code),
      warning ? ['FORKTRACE_REGISTERED_TWICE'] : [],
    );
    if (warning) assert.match(about[0][1], warning);
  });
}

test('an instrumentation that the app makes after its package was loaded sees nothing of it: the one that was found stays', async (t) => {
  const project = await instrumentedProject(t, 'two');
  const app = `
const express = require('express');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express');
registerInstrumentations({ instrumentations: [new ExpressInstrumentation()] });
const app = express();
app.get('/items/:id', (request, response) => response.send('item'));
const server = app.listen(0, '127.0.0.1', async () => {
  await (await fetch('http://127.0.0.1:' + server.address().port + '/items/7')).text();
  server.close();
  server.closeAllConnections();
});
`;
  const { program, spans } = await runInstrumented(t, project, project.write('app.cjs', app), {
    env: { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'express', OTEL_METRICS_EXPORTER: 'none' },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assert.deepEqual(
    (await spans(2)).map(({ name }) => name).sort(),
    ['GET /items/:id', 'request handler'],
    program.output,
  );
});
