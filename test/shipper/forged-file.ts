/**
 * Files of a journal with whatever bytes, as no writer of ours would leave them.
 *
 * @module
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { encodeResource } from '#src/journal/encoder.js';
import {
  AT_COMMITTED,
  AT_LEASE,
  AT_LEASE_MONOTONIC,
  AT_SEALED,
  AT_SPANS,
  ENTRY_DATA,
  ENTRY_LENGTH,
  ENTRY_STATE,
  encodeHeader,
  fileName,
  type JournalHeader,
} from '#src/journal/format.js';
import { newWriterIdentity } from '#src/journal/identity.js';
import { monotonicAt } from '#src/journal/monotonic.js';
import { field } from '../journal/span-bytes.js';

export const chunkOf = (span: Uint8Array, scope: Uint8Array = Buffer.alloc(0)) =>
  field(2, Buffer.concat([scope, field(2, span)]));

export interface Forged {
  kind?: 'segment' | 'in-flight';
  body: Uint8Array;
  bodyLength?: number;
  /** What the header says is committed. */
  committed?: number;
  entryBytes?: number;
  resource?: Uint8Array;
  hasChecksums?: boolean;
}

/** A table whose entries are all in flight, each with these fields of a span. */
export function table(entryBytes: number, entries: readonly Uint8Array[]): Forged {
  const body = Buffer.alloc(entryBytes * entries.length);
  for (const [index, fields] of entries.entries()) {
    const at = index * entryBytes;
    body.writeUInt32LE(1, at + ENTRY_STATE);
    body.writeUInt32LE(Math.min(fields.length, entryBytes - ENTRY_DATA), at + ENTRY_LENGTH);
    body.set(fields.subarray(0, entryBytes - ENTRY_DATA), at + ENTRY_DATA);
  }
  return { kind: 'in-flight', body, entryBytes };
}

/** Writes a file as a writer would leave it, that lives if `alive`. */
export function forge(dir: string, hostile: Forged, alive: boolean): void {
  const { kind = 'segment', body, bodyLength = body.length, committed = body.length } = hostile;
  const writer = { ...newWriterIdentity(0), ...(!alive && { pid: 0x7fff_fff0 }) };
  const header: Omit<JournalHeader, 'headerLength'> = {
    kind,
    bodyLength,
    sequence: 1,
    writer,
    createdMs: Date.now(),
    entryBytes: hostile.entryBytes ?? 0,
    resource: hostile.resource ?? encodeResource({ 'service.name': 'hostile' }),
    schemaUrl: '',
    isResourcePending: false,
    hasChecksums: hostile.hasChecksums === true,
  };
  const bytes = Buffer.from(encodeHeader(header));
  bytes.writeUInt32LE(committed, AT_COMMITTED);
  // Sealed, and with counts that nobody can have.
  bytes.writeUInt32LE(1, AT_SEALED);
  bytes.writeUInt32LE(0xffff_ffff, AT_SPANS);
  bytes.writeDoubleLE(Date.now(), AT_LEASE);
  bytes.writeDoubleLE(monotonicAt(performance.now()), AT_LEASE_MONOTONIC);
  const fd = openSync(join(dir, fileName(kind, writer.id, 1)), 'wx', 0o600);
  try {
    ftruncateSync(fd, bytes.length + bodyLength);
    writeSync(fd, bytes, 0, bytes.length, 0);
    writeSync(fd, body, 0, body.length, bytes.length);
  } finally {
    closeSync(fd);
  }
}
