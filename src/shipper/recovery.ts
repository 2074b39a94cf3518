/**
 * The last rites of a writer: what it left in flight becomes a segment of interrupted spans, once, and its
 * tables go.
 *
 * The segment has a sequence that no writer reaches, and is complete when it gets its name. A shipper that
 * dies over it leaves either the tables, or the segment and perhaps some tables, which the next shipper then
 * deletes without reading them again.
 *
 * @module
 */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Encoder } from '../journal/encoder.js';
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
import {
  type InFlightEntry,
  interruptedEntries,
  isUnsound,
  type JournalFile,
  openTable,
  removeFile,
} from '../journal/reader.js';
import { isSound } from '../wire/check.js';
import { ResourceSpans } from '../wire/otlp.js';
import { type Death, encodeInterrupted, type Role, rolesOf } from './interrupted-span.js';

export const RECOVERY_SEQUENCE = 0xffff_ffff;

/**
 * @param tables in-flight tables of the writer, all of them
 * @param committedOf committed length of the writer's segment with this sequence
 * @param described what the writer's newest segment says of its resource
 * @param recovered whether the segment of interrupted spans is there already
 * @param found gets the spans that were in flight, and the role of each, where they are recovered now
 * @returns how many spans were interrupted; unsound tables are left out, and reported
 * @throws what the file system says when the segment cannot be written: nothing has changed then
 */
export function recoverInFlight(
  tables: readonly JournalFile[],
  committedOf: (sequence: number) => number | undefined,
  recovered: boolean,
  death: Death,
  described: Pick<JournalHeader, 'resource' | 'schemaUrl'>,
  report: (path: string, reason: string) => void,
  found: (entries: readonly InFlightEntry[], roles: readonly (Role | undefined)[]) => void = () => {},
): number {
  let interrupted = 0;
  if (!recovered) {
    let header: JournalHeader | undefined;
    const entries: InFlightEntry[] = [];
    for (const file of tables) {
      const table = openTable(file, false);
      if (isUnsound(table)) {
        if (table.unsound === 'no-resources') throw new Error(`no descriptor is left to open ${file.path}`);
        if (table.unsound !== 'gone') report(table.path, table.unsound);
        continue;
      }
      try {
        table.endWriter();
        const found = table.entries();
        if (found.unsound > 0) report(file.path, `${found.unsound} unsound entries`);
        header = table.header;
        entries.push(...interruptedEntries(found.entries, committedOf));
      } finally {
        table.close();
      }
    }
    const roles = rolesOf(entries, death);
    found(entries, roles);
    const { body, spans } = encode(entries, roles, death);
    if (spans < entries.length) report(tables[0]!.path, `${entries.length - spans} entries are no spans`);
    if (header && spans > 0) writeSegment(dirname(tables[0]!.path), header.writer, described, body, spans);
    interrupted = spans;
  }
  for (const { path } of tables) removeFile(path);
  return interrupted;
}

function encode(
  entries: readonly InFlightEntry[],
  roles: readonly (Role | undefined)[],
  death: Death,
): { body: Encoder; spans: number } {
  const body = new Encoder();
  let spans = 0;
  // Last words are long, and said once.
  const told = Math.max(0, roles.indexOf('culprit'));
  const others = { ...death, lastWords: undefined };
  for (const [index, entry] of entries.entries()) {
    const start = body.at;
    encodeInterrupted(body, entry, index === told ? death : others, roles[index]);
    if (isSound(body.bytes, ResourceSpans, start, body.at)) spans++;
    else body.at = start;
  }
  return { body, spans };
}

function writeSegment(
  dir: string,
  writer: JournalHeader['writer'],
  described: Pick<JournalHeader, 'resource' | 'schemaUrl'>,
  body: Encoder,
  spans: number,
): void {
  const header = Buffer.from(
    encodeHeader({
      kind: 'segment',
      bodyLength: body.at,
      sequence: RECOVERY_SEQUENCE,
      writer,
      createdMs: Date.now(),
      entryBytes: 0,
      ...described,
      isResourcePending: false,
    }),
  );
  header.writeUInt32LE(body.at, AT_COMMITTED);
  header.writeUInt32LE(1, AT_SEALED);
  header.writeUInt32LE(spans, AT_SPANS);
  header.writeDoubleLE(Date.now(), AT_LEASE);
  const draft = join(dir, `${fileName('segment', writer.id, RECOVERY_SEQUENCE)}${UNFINISHED}`);
  try {
    const fd = openSync(draft, 'w', 0o600);
    try {
      writeFully(fd, header);
      writeFully(fd, body.bytes.subarray(0, body.at));
    } finally {
      closeSync(fd);
    }
    renameSync(draft, join(dir, fileName('segment', writer.id, RECOVERY_SEQUENCE)));
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

function writeFully(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done);
}
