/**
 * Segments that a shipper writes itself, for what no writer is left to write. Each is complete when it gets
 * its name.
 *
 * @module
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  AT_COMMITTED,
  AT_LEASE,
  AT_SEALED,
  AT_SPANS,
  encodeHeader,
  fileName,
  type JournalHeader,
  UNFINISHED,
} from '../journal/format.js';

export interface WholeSegment {
  kind: 'segment' | 'logs';
  sequence: number;
  writer: JournalHeader['writer'];
  described: Pick<JournalHeader, 'resource' | 'schemaUrl'>;
  /** Whole chunks. */
  body: Uint8Array;
  /** Spans or log records in it. */
  items: number;
}

/** @throws what the file system says: nothing has changed then */
export function writeSegment(dir: string, { kind, sequence, writer, described, body, items }: WholeSegment): void {
  const { resource, schemaUrl } = described;
  const header = Buffer.from(
    encodeHeader({
      ...{ kind, sequence, writer, resource, schemaUrl },
      bodyLength: body.length,
      createdMs: Date.now(),
      entryBytes: 0,
      isResourcePending: false,
    }),
  );
  header.writeUInt32LE(body.length, AT_COMMITTED);
  header.writeUInt32LE(1, AT_SEALED);
  header.writeUInt32LE(items, AT_SPANS);
  header.writeDoubleLE(Date.now(), AT_LEASE);
  const path = join(dir, fileName(kind, writer.id, sequence));
  const draft = `${path}${UNFINISHED}`;
  try {
    const fd = openSync(draft, 'w', 0o600);
    try {
      writeFully(fd, header);
      writeFully(fd, body);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}
