/**
 * A journal directory with a writer, and a shipper in this process, for tests of what becomes of spans on
 * their way.
 *
 * @module
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ResolvedExport } from '#src/config/resolved.js';
import { encodeResource, encodeScopeFields } from '#src/journal/encoder.js';
import { type Journal, openJournal } from '#src/journal/journal.js';
import { ShipperLock } from '#src/shipper/lock.js';
import { Shipper, type ShipperOptions } from '#src/shipper/shipper.js';
import { tempDir } from '../process/temp-dir.js';
import { spanFields } from './export-request.js';

/** As an export is when nothing is said about it. */
export const PLAIN_EXPORT: ResolvedExport = {
  to: 'otlp-grpc',
  url: undefined,
  headers: {},
  compression: 'none',
  timeoutMs: 20_000,
  tls: {},
};

export interface JournalScene {
  dir: string;
  warnings: (Error & { code?: string })[];
  /** Opens a journal whose resource says `service.name`. */
  open(service?: string): Journal;
  /** Adds spans named `<prefix> <n>`, each as large as `padding` makes it. */
  write(journal: Journal, count: number, prefix: string, padding?: string): void;
  ship(
    target: Partial<ResolvedExport>,
    options?: Partial<ShipperOptions>,
  ): { shipper: Shipper; done: Promise<boolean> };
}

export async function journalScene(t: TestContext): Promise<JournalScene> {
  const dir = await tempDir(t);
  const warnings: JournalScene['warnings'] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  return {
    dir,
    warnings,
    open(service = 'shop') {
      const journal = openJournal({ dir, resource: encodeResource({ 'service.name': service }) });
      t.after(() => journal.close());
      return journal;
    },
    write(journal, count, prefix, padding = '') {
      const scope = encodeScopeFields({ name: 'http' });
      for (let n = 0; n < count; n++) {
        const fields = spanFields(`${prefix} ${n}${padding}`);
        journal.append(scope, fields, 0, fields.length);
      }
      journal.flush();
    },
    ship(target, options) {
      const lock = ShipperLock.acquire(dir);
      assert.ok(lock);
      const shipper = new Shipper({ dir, lock, export: { ...PLAIN_EXPORT, ...target }, maxBytes: 2 ** 30, ...options });
      const done = shipper.run();
      t.after(async () => {
        shipper.stop(0);
        await done;
      });
      return { shipper, done };
    },
  };
}
