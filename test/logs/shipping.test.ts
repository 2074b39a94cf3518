import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { encodeScopeFields } from '#src/journal/encoder.js';
import type { Journal } from '#src/journal/journal.js';
import { makeRoom } from '#src/journal/journal-directory.js';
import { encode } from '#src/wire/encode.js';
import { LogRecord } from '#src/wire/otlp.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { waitFor } from '../process/wait-for.js';
import { type JournalScene, journalScene } from '../shipper/journal-scene.js';

function log(journal: Journal, count: number, prefix: string, padding = ''): void {
  const scope = encodeScopeFields({ name: 'pino' });
  for (let n = 0; n < count; n++) {
    const fields = encode({ severityNumber: 9, body: { stringValue: `${prefix} ${n}${padding}` } }, LogRecord);
    journal.appendLog(scope, fields, 0, fields.length);
  }
  journal.flush();
}

/** Their number, each being there once and in order. */
function bodies(endpoint: OtlpEndpoint): string[] {
  return endpoint.logs.map(({ body }) => String(body));
}

const numbered = (count: number, prefix: string) => Array.from({ length: count }, (_, n) => `${prefix} ${n}`);

const said = ({ warnings }: JournalScene, code: string) => warnings.filter((warning) => warning.code === code);

async function together(t: TestContext) {
  return { scene: await journalScene(t), endpoint: await OtlpEndpoint.start(t) };
}

for (const protocol of ['otlp-grpc', 'otlp-http', 'json'] as const) {
  test(`log records go to the logs service beside spans, each once and in order: ${protocol}`, async (t) => {
    const { scene, endpoint } = await together(t);
    const journal = scene.open();
    scene.write(journal, 100, 'span');
    log(journal, 3000, 'line', 'x'.repeat(600));
    const isGrpc = protocol === 'otlp-grpc';
    const { shipper } = scene.ship({
      to: isGrpc ? 'otlp-grpc' : 'otlp-http',
      url: isGrpc ? endpoint.grpcUrl : endpoint.httpUrl,
      ...(protocol === 'json' && { encoding: 'json' }),
    });
    await endpoint.waitForSpans(100);
    await endpoint.waitForLogs(3000);
    assert.deepEqual(
      bodies(endpoint),
      numbered(3000, 'line').map((body) => `${body}${'x'.repeat(600)}`),
    );
    const [first] = endpoint.logs;
    assert.deepEqual(first!.resource, { 'service.name': 'shop' });
    assert.equal(first!.scope.name, 'pino');
    assert.equal(first!.severityNumber, 9);
    await waitFor(() => shipper.stats().logRecords.shipped === 3000, 'the count');
    const { logRecords, shipped } = shipper.stats();
    assert.deepEqual(logRecords, { read: 3000, shipped: 3000, refused: 0, dropped: 0, lagBytes: 0 });
    assert.equal(shipped, 100);
    assert.deepEqual(scene.warnings, []);
  });
}

test('what a dead writer has logged is shipped, and its files go', async (t) => {
  const { scene, endpoint } = await together(t);
  const journal = scene.open();
  log(journal, 10, 'last');
  journal.close();
  scene.ship({ url: endpoint.grpcUrl });
  await endpoint.waitForLogs(10);
  await waitFor(() => !readdirSync(scene.dir).some((name) => name.endsWith('.logs')), 'the end of the segment');
});

test('log records may go to another endpoint than spans, with headers of their own', async (t) => {
  const { scene, endpoint } = await together(t);
  const other = await OtlpEndpoint.start(t);
  other.requireHeader('x-tenant', 'logs');
  const journal = scene.open();
  scene.write(journal, 1, 'span');
  log(journal, 5, 'line');
  const plain = { headers: {}, compression: 'none', timeoutMs: 20_000, tls: {} } as const;
  const logs = {
    ...plain,
    to: 'otlp-http',
    url: `${other.httpBaseUrl}/v1/logs`,
    headers: { 'x-tenant': 'logs' },
  } as const;
  scene.ship({ url: endpoint.grpcUrl, logs });
  await other.waitForLogs(5);
  await endpoint.waitForSpans(1);
  assert.deepEqual([endpoint.logs.length, other.received().length], [0, 0]);
});

for (const protocol of ['otlp-grpc', 'otlp-http'] as const) {
  test(`an endpoint without a logs service is said once, and spans are not affected: ${protocol}`, async (t) => {
    const scene = await journalScene(t);
    const endpoint = await OtlpEndpoint.start(t, { without: 'logs' });
    const journal = scene.open();
    log(journal, 20, 'line');
    const url = protocol === 'otlp-grpc' ? endpoint.grpcUrl : endpoint.httpUrl;
    const { shipper, done } = scene.ship({ to: protocol, url });
    await waitFor(() => said(scene, 'FORKTRACE_LOGS_NOT_TAKEN').length > 0, 'the warning');
    scene.write(journal, 50, 'span');
    await endpoint.waitForSpans(50);
    journal.close();
    shipper.stop(5000);
    assert.equal(await done, false, 'log records are left');
    assert.equal(said(scene, 'FORKTRACE_LOGS_NOT_TAKEN').length, 1);
    assert.deepEqual(
      scene.warnings.map(({ code }) => code),
      ['FORKTRACE_LOGS_NOT_TAKEN'],
    );
    assert.equal(shipper.left, 0, 'of spans');
    assert.ok(readdirSync(scene.dir).some((name) => name.endsWith('.logs')));

    // The endpoint that follows has one.
    const better = await OtlpEndpoint.start(t);
    scene.ship({ to: protocol, url: protocol === 'otlp-grpc' ? better.grpcUrl : better.httpUrl });
    await better.waitForLogs(20);
    assert.deepEqual(bodies(better), numbered(20, 'line'));
  });
}

test('a journal that is full gives up log records before spans, and counts them', async (t) => {
  const { scene } = await together(t);
  const journal = scene.open();
  scene.write(journal, 1000, 'span', 'x'.repeat(2000));
  log(journal, 2000, 'line', 'x'.repeat(2000));
  journal.close();
  const bytes = 2.5 * 1024 * 1024;
  const dropped = makeRoom(scene.dir, 0, bytes);
  assert.equal(dropped.spans, 0);
  assert.ok(dropped.logRecords > 500, `${dropped.logRecords}`);
  const left = readdirSync(scene.dir).filter((name) => name.endsWith('.segment'));
  assert.equal(left.length, 2);
});

test('refused log records are counted as such', async (t) => {
  const { scene, endpoint } = await together(t);
  endpoint.answerWith({ answer: 'partial-success', rejected: 3, message: 'too old' }, 1);
  const journal = scene.open();
  log(journal, 10, 'line');
  const { shipper } = scene.ship({ url: endpoint.grpcUrl });
  await waitFor(() => shipper.stats().logRecords.refused === 3, 'the count');
  assert.equal(shipper.stats().refused, 0);
  assert.match(said(scene, 'FORKTRACE_SPANS_REFUSED')[0]!.message, /refused 3 log records for good: too old/);
});
