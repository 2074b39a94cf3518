import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ResolvedExport } from '#src/config/resolved.js';
import { encodeResource, encodeScopeFields } from '#src/journal/encoder.js';
import { type Journal, openJournal } from '#src/journal/journal.js';
import { ShipperLock } from '#src/shipper/lock.js';
import { Shipper } from '#src/shipper/shipper.js';
import type { FromShipper } from '#src/shipper/shipper-messages.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { spanFields } from './export-request.js';

const TARGET: ResolvedExport = {
  to: 'otlp-grpc',
  url: undefined,
  headers: {},
  compression: 'none',
  timeoutMs: 20_000,
  tls: {},
};

interface Scene {
  dir: string;
  endpoint: OtlpEndpoint;
  recovered: Extract<FromShipper, { type: 'recovered' }>[];
  warnings: Error[];
  ship(maxBytes?: number, isTold?: boolean): Promise<Shipper>;
}

async function setUp(t: TestContext): Promise<Scene> {
  const dir = await tempDir(t);
  const endpoint = await OtlpEndpoint.start(t);
  const recovered: Scene['recovered'] = [];
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  return {
    dir,
    endpoint,
    recovered,
    warnings,
    async ship(maxBytes = 256 * 1024 * 1024, isTold = false) {
      const shipper = new Shipper({
        dir,
        lock: takeLock(dir),
        export: { ...TARGET, url: endpoint.grpcUrl },
        maxBytes,
        isTold: () => isTold,
        onRecovered: (found) => recovered.push(found),
      });
      const done = shipper.run();
      t.after(async () => {
        shipper.stop(0);
        await done;
      });
      return shipper;
    },
  };
}

function write(journal: Journal, count: number, prefix = 'span', padding = ''): void {
  const scope = encodeScopeFields({ name: 'http' });
  for (let n = 0; n < count; n++) {
    const fields = spanFields(`${prefix} ${n}${padding}`);
    journal.append(scope, fields, 0, fields.length);
  }
  journal.flush();
}

function open(t: TestContext, dir: string, options: Partial<Parameters<typeof openJournal>[0]> = {}): Journal {
  const journal = openJournal({ dir, resource: encodeResource({ 'service.name': 'shop' }), ...options });
  t.after(() => journal.close());
  return journal;
}

/** What is left but the lock and the folder of remembered deaths. */
const journalFiles = (dir: string) => readdirSync(dir).filter((name) => !name.endsWith('.lock') && name !== 'deaths');

function takeLock(dir: string): ShipperLock {
  const lock = ShipperLock.acquire(dir);
  assert.ok(lock);
  return lock;
}

const names = (endpoint: OtlpEndpoint) => endpoint.received().map(({ name }) => name);

/** Every span once. */
function assertOnce(endpoint: OtlpEndpoint, count: number): void {
  assert.equal(new Set(names(endpoint)).size, count);
  assert.equal(endpoint.received().length, count);
}

for (const mode of ['mmap', 'write'] as const) {
  test(`${mode}: spans of several writers are visible within a second, and shipped segments go`, async (t) => {
    const { dir, endpoint, ship } = await setUp(t);
    const shipper = await ship();
    const journals = ['a', 'b'].map((name) =>
      open(t, dir, { mode, segmentBytes: 65536, resource: encodeResource({ 'service.name': name }) }),
    );
    write(journals[0]!, 2000, 'a');
    write(journals[1]!, 10, 'b');
    const start = performance.now();
    await endpoint.waitForSpans(2010);
    assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms`);
    assertOnce(endpoint, 2010);
    for (const { name, resource } of endpoint.received()) assert.equal(resource['service.name'], name.split(' ')[0]);
    for (const journal of journals) journal.close();
    await waitFor(
      () => journalFiles(dir).length === 0,
      () => `an empty directory: ${journalFiles(dir)}`,
    );
    const { read, shipped, lagBytes, refused, dropped } = shipper.stats();
    assert.deepEqual(
      { read, shipped, lagBytes, refused, dropped },
      { read: 2010, shipped: 2010, lagBytes: 0, refused: 0, dropped: 0 },
    );
  });

  test(`${mode}: what a killed process has written is shipped, and what it had in flight becomes interrupted spans`, async (t) => {
    const { dir, endpoint, recovered, ship } = await setUp(t);
    endpoint.answerWith({ answer: 'unavailable' });
    const shipper = await ship(undefined, true);
    const writer = runProgram(t, fixture('span-writer'), { args: [dir, mode, '1000', 'w', '3', 'wait'] });
    await writer.waitForOutput(/written/);
    // Killed while it prepares a segment, it leaves one half made.
    const [id] = readdirSync(dir)[0]!.split('-');
    writeFileSync(join(dir, `${id}-9.segment.new`), 'half');
    const before = BigInt(Date.now()) * 1_000_000n;
    writer.kill('SIGKILL');
    await writer.waitForExit();
    shipper.writerExited({ pid: writer.pid, code: null, signal: 'SIGKILL' });
    await waitFor(() => recovered.length > 0, 'the recovery', 2000);
    const [{ deathId, pid, spansRecovered, requestsInterrupted, cause }] = recovered as [Scene['recovered'][number]];
    assert.deepEqual(
      { pid, spansRecovered, requestsInterrupted, cause },
      { pid: writer.pid, spansRecovered: 1000, requestsInterrupted: 3, cause: 'signal' },
    );
    endpoint.answerOk();
    await endpoint.waitForSpans(1003);
    assertOnce(endpoint, 1003);
    const interrupted = endpoint.received().filter(({ name }) => name.includes('in flight'));
    assert.equal(interrupted.length, 3);
    for (const span of interrupted) {
      assert.deepEqual(span.attributes, {
        'error.type': 'worker.exit',
        'forktrace.interrupted': true,
        'forktrace.death.id': deathId,
        'forktrace.exit.cause': 'signal',
      });
      assert.deepEqual(span.status, { code: 2, message: 'the worker was killed by SIGKILL' });
      assert.ok(span.end >= before - 1_000_000n && span.end >= span.start, `${span.start} ${span.end}`);
      assert.equal(span.events.length, 1);
      assert.equal(span.events[0]!.name, 'forktrace.exit');
      assert.deepEqual(span.events[0]!.attributes, {
        'forktrace.exit.cause': 'signal',
        'forktrace.exit.signal': 'SIGKILL',
      });
      assert.equal(span.resource['writer.prefix'], 'w');
      assert.equal(span.scope.name, 'http');
    }
    await waitFor(
      () => journalFiles(dir).length === 0,
      () => `an empty directory: ${journalFiles(dir)}`,
    );
    assert.equal(shipper.stats().interrupted, 3);
    assert.equal(shipper.stats().recovered, 1000);
  });
}

test('a death that nobody tells of is found, and a process without a journal is answered for', async (t) => {
  const { dir, endpoint, recovered, ship } = await setUp(t);
  const shipper = await ship();
  const writer = runProgram(t, fixture('span-writer'), { args: [dir, 'mmap', '5', 'w', '1', 'wait'] });
  await writer.waitForOutput(/written/);
  writer.kill('SIGKILL');
  await writer.waitForExit();
  await endpoint.waitForSpans(6);
  await waitFor(() => journalFiles(dir).length === 0, 'an empty directory');
  const interrupted = endpoint.received().find(({ name }) => name.includes('in flight'));
  assert.equal(interrupted!.status.message, 'the worker died');
  shipper.writerExited({ pid: 1 << 22, code: 1, signal: null });
  await waitFor(() => recovered.some(({ pid }) => pid === 1 << 22), 'an answer', 2000);
});

test('a coordinator that tells of a death late is told what was found, once', async (t) => {
  const { dir, endpoint, recovered, ship } = await setUp(t);
  const shipper = await ship();
  const args = [dir, 'mmap', '0', 'w', '3', 'wait', 'none', '0'];
  const worker = runProgram(t, fixture('span-writer'), { args });
  await worker.waitForOutput(/written/);
  worker.kill('SIGKILL');
  await worker.waitForExit();
  await endpoint.waitForSpans(3);
  const numbers = ({ pid, requestsInterrupted, cause }: Scene['recovered'][number]) => [
    ...[pid, requestsInterrupted, cause],
  ];
  // Nobody had said how it ended by then.
  assert.deepEqual(recovered.splice(0).map(numbers), [[worker.pid, 3, 'lost']]);
  for (const [said, found] of [
    [3, 'lost'],
    [0, undefined],
  ]) {
    shipper.writerExited({ pid: worker.pid, code: null, signal: 'SIGKILL' });
    await waitFor(() => recovered.length > 0, 'an answer', 2000);
    assert.deepEqual(recovered.splice(0).map(numbers), [[worker.pid, said, found]]);
  }
});

test('an endpoint that is down at the start and for a while loses nothing, and gets nothing twice', async (t) => {
  const { dir, endpoint, warnings, ship } = await setUp(t);
  await endpoint.stop();
  const shipper = await ship();
  const journal = open(t, dir, { segmentBytes: 65536 });
  write(journal, 1000, 'early');
  await waitFor(() => warnings.some(({ message }) => /exports? to .* failed/.test(message)), 'a warning');
  await endpoint.restart();
  await endpoint.waitForSpans(1000);
  await endpoint.stop();
  write(journal, 1000, 'late');
  await waitFor(() => shipper.stats().lagBytes > 0, 'a backlog');
  await endpoint.restart();
  await endpoint.waitForSpans(2000);
  assertOnce(endpoint, 2000);
});

test('a throttled endpoint is given the time that it asks for', async (t) => {
  const { dir, endpoint, ship } = await setUp(t);
  endpoint.answerWith({ answer: 'resource-exhausted', retryAfterMs: 1200 }, 1);
  await ship();
  write(open(t, dir), 10);
  await endpoint.waitForSpans(10);
  assertOnce(endpoint, 10);
  assert.equal(endpoint.requests.length, 2);
  assert.ok(endpoint.requests[1]!.at - endpoint.requests[0]!.at >= 1150);
});

test('what is refused is counted and said, and does not come back', async (t) => {
  const { dir, endpoint, warnings, ship } = await setUp(t);
  const shipper = await ship();
  const journal = open(t, dir);
  endpoint.answerWith({ answer: 'partial-success', rejected: 4, message: 'too old' }, 1);
  write(journal, 10, 'half');
  await waitFor(() => shipper.stats().refused === 4, 'a partial refusal');
  write(journal, 10, 'good');
  await endpoint.waitForSpans(16);
  await waitFor(() => shipper.stats().shipped === 16, 'the count');
  await waitFor(() => warnings.some(({ message }) => /refused 4 spans for good: too old/.test(message)), 'a warning');
});

test('a backlog travels in requests of up to 2 MiB, with one ResourceSpans per writer and one ScopeSpans per scope', async (t) => {
  const { dir, endpoint, ship } = await setUp(t);
  const writer = runProgram(t, fixture('span-writer'), { args: [dir, 'mmap', '60000', 'w', '0', 'close'] });
  await writer.waitForExit();
  await ship();
  await endpoint.waitForSpans(60_000);
  assertOnce(endpoint, 60_000);
  assert.ok(endpoint.requests.length < 10, `${endpoint.requests.length} requests`);
  for (const { bytes, message } of endpoint.requests) {
    assert.ok(bytes <= 2 * 1024 * 1024);
    assert.equal(message.resourceSpans.length, 1);
    assert.equal(message.resourceSpans[0].scopeSpans.length, 2);
  }
});

test('a span that is larger than a request is shipped all the same', async (t) => {
  const { dir, endpoint, ship } = await setUp(t);
  const journal = open(t, dir);
  write(journal, 1, 'small');
  write(journal, 1, 'large', 'x'.repeat(3 * 1024 * 1024));
  write(journal, 1, 'after');
  await ship();
  await endpoint.waitForSpans(3);
  assert.deepEqual(
    names(endpoint)
      .map((name) => name.slice(0, 5))
      .sort(),
    ['after', 'large', 'small'],
  );
});

test('the directory stays within its bound while the endpoint is down, and what is dropped is counted', async (t) => {
  const { dir, endpoint, warnings, ship } = await setUp(t);
  await endpoint.stop();
  for (let n = 0; n < 4; n++) {
    const args = [dir, 'mmap', '3000', `w${n}`, '0', 'close'];
    await runProgram(t, fixture('span-writer'), { args }).waitForExit();
  }
  const shipper = await ship(3 * 65536);
  await waitFor(() => shipper.stats().dropped > 0, 'a drop');
  assert.ok(journalFiles(dir).length <= 3);
  await waitFor(() => warnings.some(({ message }) => /dropped before they were shipped/.test(message)), 'a warning');
  await endpoint.restart();
  const kept = 12_000 - shipper.stats().dropped;
  await waitFor(() => shipper.stats().lagBytes === 0, 'all of the rest');
  assert.ok(new Set(names(endpoint)).size >= kept);
});

test('what is left is shipped at a stop', async (t) => {
  const { dir, endpoint, ship } = await setUp(t);
  const shipper = await ship();
  write(open(t, dir), 100);
  shipper.stop(10_000);
  await endpoint.waitForSpans(100);
  assertOnce(endpoint, 100);
});

test('a stop does not wait for an endpoint that is down or hangs', async (t) => {
  const { dir, endpoint } = await setUp(t);
  write(open(t, dir), 100);
  for (const outage of ['down', 'hang'] as const) {
    if (outage === 'hang') {
      await endpoint.restart();
      endpoint.answerWith({ answer: 'hang' });
    } else {
      await endpoint.stop();
    }
    const target = { ...TARGET, url: endpoint.grpcUrl, timeoutMs: 60_000 };
    const shipper = new Shipper({ dir, lock: takeLock(dir), export: target, maxBytes: 2 ** 28 });
    const done = shipper.run();
    await waitFor(() => shipper.stats().read > 0, 'a request on its way');
    const start = performance.now();
    shipper.stop(500);
    assert.equal(await done, false);
    assert.ok(performance.now() - start < 3000, `${outage}: ${performance.now() - start} ms`);
  }
});
