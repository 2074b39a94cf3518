/**
 * What forceFlush, an exit in a container and the count of waiting spans see of a journal. The test stores
 * what has been shipped, in the shipper's place.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { delivered, deliveredNow, undelivered, undeliveredIn } from '#src/journal/delivery.js';
import { encodeResource } from '#src/journal/encoder.js';
import { type Journal, openJournal } from '#src/journal/journal.js';
import { listJournal } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment } from '#src/journal/segment-reader.js';
import { tempDir } from '../process/temp-dir.js';
import { scopeBytes, spanBytes } from './span-bytes.js';

const scope = scopeBytes('test');
const resource = encodeResource({ 'service.name': 'shop' });

async function journalOf(t: TestContext, mode: 'auto' | 'write', dir?: string): Promise<Journal> {
  const journal = openJournal({ dir: dir ?? (await tempDir(t)), resource, mode });
  t.after(() => journal.close());
  return journal;
}

function keep(journal: Journal, spans: number): void {
  for (let id = 1; id <= spans; id++) {
    const bytes = spanBytes(id);
    journal.append(scope, bytes, 0, bytes.length);
  }
}

function log(journal: Journal): void {
  const record = Buffer.from([0x2a, 3, 0x0a, 1, 0x61]);
  journal.appendLog(scope, record, 0, record.length);
}

/** Stores all of a writer's files of a kind as shipped; `gone`: and deletes them, as a shipper does. */
function ship(journal: Journal, kind: 'segment' | 'logs', gone = false): void {
  for (const file of listJournal(journal.dir)) {
    if (file.kind !== kind || file.writerId !== journal.writerId) continue;
    const reader = openSegment(file);
    if (isUnsound(reader)) continue;
    if (gone) reader.remove();
    else reader.storeShipped(reader.state().committed);
    reader.close();
  }
}

/** Whether it has not settled while the shipped lengths were looked at several times. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise, sleep(150, 'pending')])) === 'pending';
}

for (const mode of ['auto', 'write'] as const) {
  describe(`a journal in mode ${mode}`, () => {
    it('is delivered once the shipper has stored that it shipped all', async (t) => {
      const journal = await journalOf(t, mode);
      assert.equal(await delivered(journal, 5000, 'spans'), true, 'nothing to wait for');
      keep(journal, 3);
      const flushed = delivered(journal, 60_000, 'spans');
      assert.ok(await isPending(flushed));
      ship(journal, 'segment');
      assert.equal(await flushed, true);
      assert.equal(deliveredNow(journal, 0), true);
    });

    it('is delivered when its segment is gone', async (t) => {
      const journal = await journalOf(t, mode);
      keep(journal, 3);
      const flushed = delivered(journal, 60_000, 'spans');
      ship(journal, 'segment', true);
      assert.equal(await flushed, true);
    });

    it('is not delivered at the deadline', async (t) => {
      const journal = await journalOf(t, mode);
      keep(journal, 1);
      assert.equal(await delivered(journal, 50, 'spans'), false);
      assert.equal(deliveredNow(journal, 50), false);
    });

    it('counts the spans that wait, of this writer or of all', async (t) => {
      const journal = await journalOf(t, mode);
      const other = await journalOf(t, mode, journal.dir);
      keep(journal, 3);
      keep(other, 4);
      log(other);
      assert.equal(undelivered(journal), 3);
      assert.equal(undelivered(other), 4);
      assert.equal(undeliveredIn(journal.dir, 60_000), 7);
      // What cannot be read is not counted, nor is what nobody has time for.
      writeFileSync(join(journal.dir, `${'a'.repeat(32)}-1.segment`), 'no segment');
      assert.equal(undeliveredIn(journal.dir, 60_000), 7);
      assert.equal(undeliveredIn(journal.dir, -1), 0);
      ship(journal, 'segment');
      assert.equal(undelivered(journal), 0);
      assert.equal(undeliveredIn(journal.dir, 60_000), 4);
      rmSync(journal.dir, { recursive: true });
      assert.equal(undelivered(journal), 0);
      assert.equal(undeliveredIn(journal.dir, 60_000), 0);
    });
  });
}

describe('waiting for spans and log records', () => {
  it('waits for what it is asked for', async (t) => {
    const journal = await journalOf(t, 'auto');
    keep(journal, 1);
    log(journal);
    const spans = delivered(journal, 60_000, 'spans');
    const logs = delivered(journal, 60_000, 'logs');
    ship(journal, 'logs');
    assert.equal(await logs, true);
    assert.ok(await isPending(spans));
    ship(journal, 'segment');
    assert.equal(await spans, true);
    assert.equal(await delivered(journal, 60_000, 'both'), true);
  });

  it('gives up log records that do not get on when all spans are there: an endpoint may have no logs service', async (t) => {
    const journal = await journalOf(t, 'auto');
    keep(journal, 1);
    log(journal);
    ship(journal, 'segment');
    const from = performance.now();
    assert.equal(await delivered(journal, 60_000, 'both'), false);
    assert.ok(performance.now() - from < 30_000);
  });

  it('waits for other writers of the directory where it is asked to', async (t) => {
    const journal = await journalOf(t, 'auto');
    const other = await journalOf(t, 'auto', journal.dir);
    keep(other, 1);
    assert.equal(await delivered(journal, 50, 'both'), true);
    assert.equal(await delivered(journal, 50, 'both', true), false);
    assert.equal(deliveredNow(journal, 50), true);
    assert.equal(deliveredNow(journal, 50, true), false);
  });

  it('is false when a span was lost meanwhile', async (t) => {
    const journal = await journalOf(t, 'auto');
    keep(journal, 1);
    const flushed = delivered(journal, 60_000, 'spans');
    const large = spanBytes(2, 'large', 17 * 1024 * 1024);
    journal.append(scope, large, 0, large.length);
    assert.equal(journal.stats().lost.tooLarge, 1);
    ship(journal, 'segment');
    assert.equal(await flushed, false);
  });
});

describe('waiting at the exit', () => {
  it('counts the time for the delivery from the start of the shipper', async (t) => {
    const journal = await journalOf(t, 'auto');
    keep(journal, 1);
    let asked = 0;
    const runs = () => {
      if (++asked === 3) ship(journal, 'segment');
      return asked >= 3;
    };
    assert.equal(deliveredNow(journal, 30_000, false, { runs, startMs: 60_000 }), true);
    assert.equal(asked, 3);
  });

  it('does not wait for a shipper that does not start in time', async (t) => {
    const journal = await journalOf(t, 'auto');
    keep(journal, 1);
    assert.equal(deliveredNow(journal, 60_000, false, { runs: () => false, startMs: 50 }), false);
  });
});
