/**
 * The bytes of the journal's files, in one place: offsets, header, names. docs/journal-format.md has a
 * picture of them. All numbers are little-endian. Offsets are from the start of the file.
 *
 * What always holds, wherever the writer is stopped:
 *
 * 1. A file has its name only when its header is whole. Until then its name ends in `.new`, which no reader
 *    opens.
 * 2. The body of a segment up to `committed` is whole chunks. The bytes come first, then `committed`, in one
 *    store that no reader sees before them. What lies behind `committed` is anything.
 * 3. An entry of an in-flight table whose state is `in flight` has whole data. A span that begins stores its
 *    data, clears the mark, and stores the state last. A span that changes appends its fields, and stores
 *    their length last.
 * 4. A span that ends is in exactly one place. The mark (first its end, then its segment) is stored before
 *    `committed`, the state `free` after it. So an entry in flight whose mark lies within `committed` has
 *    ended, one whose mark lies beyond has not.
 * 5. A segment that is gone has been shipped. So a mark in a segment that does not exist says: ended. A
 *    reader that recovers a dead writer settles its tables before it deletes any of its segments that are not
 *    sealed.
 * 6. Each field has one writer: `shipped` is the shipper's, `given up` whoever deletes the file, all else the
 *    journal's. A segment changes hands
 *    by rename alone: `.spare` gives it back to its writer, and whoever renames or deletes it first has it.
 * 7. Sequences of a writer are never used twice, and a writer's id never at all: a reader that meets another
 *    sequence in a file that it holds open knows that the file is another segment now.
 *
 * A process that dies leaves a prefix of its stores, in program order. Another core may see a living writer's
 * stores in any order, but for 2. `test/journal/crash-simulator` stops the writer after each store and holds
 * all of this against it.
 *
 * @module
 */
import { crc32 } from './crc32.js';

export const FORMAT_VERSION = 1;
/** That of segments whose chunks have checksums; all else is the same. */
const CHECKSUMS_VERSION = 2;
/** Headers are multiples of a page, so that the body can be mapped. */
export const PAGE_BYTES = 4096;

/** 8 bytes each, ASCII. */
const MAGIC: Record<JournalFileKind, string> = {
  segment: 'ftsegmnt',
  logs: 'ftlogseg',
  'in-flight': 'ftinflgt',
  vitals: 'ftvitals',
};

/**
 * `logs`: a segment of log records, whose body is whole `scope_logs` fields; all else of it is as in a
 * segment of spans.
 */
export type JournalFileKind = 'segment' | 'logs' | 'in-flight' | 'vitals';

// What never changes after the file has been created: [0..IMMUTABLE_END), then the Resource and its schema
// URL. Covered by the CRC.
const AT_VERSION = 8;
const AT_HEADER_LENGTH = 12;
const AT_BODY_LENGTH = 16;
export const AT_SEQUENCE = 20;
const AT_WRITER_ID = 24;
const AT_PID = 40;
const AT_SLOT = 44;
const AT_PROCESS_START = 48;
const AT_PID_NAMESPACE = 56;
const AT_BOOT_ID = 64;
const AT_CREATED = 80;
const AT_ENTRY_BYTES = 88;
const AT_RESOURCE_LENGTH = 92;
const AT_THREAD = 96;
const IMMUTABLE_END = 100;
const AT_CRC = 100;
const AT_SCHEMA_URL_LENGTH = 104;
const AT_RESOURCE_PENDING = 108;

/**
 * u32, written by the writer alone: bytes of the body that are whole and final. Each field below is aligned
 * to its size.
 */
export const AT_COMMITTED = 128;
/** u32, written by the writer: 1 when nothing will be added. */
export const AT_SEALED = 132;
/** u32, written by the writer before it seals: spans in the body; 0 when not known. */
export const AT_SPANS = 136;
/**
 * u32, written by the writer before it seals: 1 when it wants the file back, as a spare file, once all of it
 * has been shipped.
 */
export const AT_WANTED = 140;
/**
 * float64, written by the writer: milliseconds since the epoch at which the writer was last known to be
 * alive.
 */
export const AT_LEASE = 144;
/**
 * float64, written by the writer with the lease: the same moment, in milliseconds of the machine's monotonic
 * clock.
 */
export const AT_LEASE_MONOTONIC = 152;
/** The writer's mutable fields lie in [WRITER_FIELDS..WRITER_FIELDS_END). */
export const WRITER_FIELDS = 128;
export const WRITER_FIELDS_END = 160;
/**
 * u32, written by the shipper alone, in a cache line of its own: bytes of the body that have been delivered.
 */
export const AT_SHIPPED = 192;
/**
 * u32, written once by whoever has taken the writer for dead: 1 more than the committed length that counts; 0
 * before. What the writer adds behind it, if it lives after all, no reader looks at: the writer takes it
 * along, under another id.
 */
export const AT_ENDED = 196;
/**
 * u32, written once by whoever deletes the file with something unshipped in it: 1 when that has been counted
 * lost, or is kept elsewhere. A file that is deleted without it was deleted by a stranger.
 */
export const AT_GIVEN_UP = 200;
/** The shipper's fields end here. */
export const SHIPPER_FIELDS_END = 204;
const AT_RESOURCE = 256;

/** A Resource that is larger is not OTLP that anybody takes. */
export const MAX_RESOURCE_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = MAX_RESOURCE_BYTES + 2 * PAGE_BYTES;

/** The slot of a writer that has none. */
const NO_SLOT = 0xffffffff;

// One entry of an in-flight table; offsets from the start of the entry.
/** u32: 0 free, 1 in flight. Stored last when an entry begins. */
export const ENTRY_STATE = 0;
/** u32: bytes of data: the Scope field, then bare Span fields. */
export const ENTRY_LENGTH = 4;
/** u32: where in the data the Scope field ends. */
export const ENTRY_SCOPE_END = 8;
/** u32: committed length that `ENTRY_MARK_SEGMENT` has once the ended span is in it. */
export const ENTRY_MARK_END = 12;
/**
 * u32: sequence of the segment that the ended span goes to; 0 while in flight. Stored after `ENTRY_MARK_END`.
 */
export const ENTRY_MARK_SEGMENT = 16;
/**
 * u32: when the span started, in milliseconds of the machine's monotonic clock; 0 where that is not known, as
 * the program gave the time. Stored before the state.
 */
export const ENTRY_STARTED = 20;
export const ENTRY_DATA = 24;
/** Bytes of one entry, data included. */
export const ENTRY_BYTES = 2048;
/** What readers take: another version of us may have made entries of another size. */
const ENTRY_BYTES_TAKEN = { least: 512, most: 64 * 1024 };

/** Who wrote a file. A process that reopens the journal gets a new `id`. */
export interface WriterIdentity {
  /** 16 random bytes, in hex. */
  id: string;
  pid: number;
  /** Thread id in the system's sense, which is the pid in the main thread; 0 where there is no /proc. */
  thread: number;
  /**
   * Start time of that thread in clock ticks since boot (`/proc/self/stat` field 22); 0 where there is no
   * /proc.
   */
  processStart: number;
  /** Inode of the pid namespace (`/proc/self/ns/pid`); 0 where there is none. */
  pidNamespace: number;
  /** Kernel's boot id in hex; 32 zeros where there is none. */
  bootId: string;
  slot: number | undefined;
}

/** The immutable part of a file's header. */
export interface JournalHeader {
  kind: JournalFileKind;
  headerLength: number;
  /** Bytes that the file has after its header. */
  bodyLength: number;
  /** From 1; files of each kind of a writer are counted apart. */
  sequence: number;
  writer: WriterIdentity;
  /** Milliseconds since the epoch. */
  createdMs: number;
  /** In-flight tables: bytes of one entry. Segments: 0. */
  entryBytes: number;
  /** OTLP-encoded Resource message, without tag and length. */
  resource: Uint8Array;
  /** Of the conventions that the names of the resource follow; empty where it says none. */
  schemaUrl: string;
  /**
   * The writer still waits for attributes of its resource, which a later file of its own has. Readers wait
   * for that file, within bounds.
   */
  isResourcePending: boolean;
  /** Segments: each chunk is followed by its checksum. @default false */
  hasChecksums?: boolean;
}

/** Why a file or a part of it is not sound. */
export type UnsoundReason =
  | 'gone'
  | 'unreadable'
  /** This process has no descriptor or memory left to look at it: nothing is wrong with the file. */
  | 'no-resources'
  | 'not-a-file'
  | 'empty'
  | 'truncated'
  | 'foreign'
  | 'version'
  | 'checksum'
  | 'misnamed'
  | 'corrupt';

/** Bytes that the header of a file with this resource takes: a multiple of {@link PAGE_BYTES}. */
export function headerLengthFor({ resource, schemaUrl }: Pick<JournalHeader, 'resource' | 'schemaUrl'>): number {
  return headerLengthOfParts(resource.length + Buffer.byteLength(schemaUrl));
}

function headerLengthOfParts(bytes: number): number {
  return Math.ceil((AT_RESOURCE + bytes) / PAGE_BYTES) * PAGE_BYTES;
}

/** @throws RangeError for a resource above {@link MAX_RESOURCE_BYTES} */
export function encodeHeader(header: Omit<JournalHeader, 'headerLength'>): Uint8Array {
  const { writer, resource } = header;
  const schemaUrl = Buffer.from(header.schemaUrl);
  const described = Buffer.concat([resource, schemaUrl]);
  if (described.length > MAX_RESOURCE_BYTES) throw new RangeError(`resource of ${described.length} bytes`);
  const headerLength = headerLengthOfParts(described.length);
  const bytes = Buffer.alloc(headerLength);
  bytes.write(MAGIC[header.kind], 0, 'latin1');
  bytes.writeUInt32LE(header.hasChecksums ? CHECKSUMS_VERSION : FORMAT_VERSION, AT_VERSION);
  bytes.writeUInt32LE(headerLength, AT_HEADER_LENGTH);
  bytes.writeUInt32LE(header.bodyLength, AT_BODY_LENGTH);
  bytes.writeUInt32LE(header.sequence, AT_SEQUENCE);
  bytes.write(writer.id, AT_WRITER_ID, 16, 'hex');
  bytes.writeUInt32LE(writer.pid, AT_PID);
  bytes.writeUInt32LE(writer.slot ?? NO_SLOT, AT_SLOT);
  bytes.writeDoubleLE(writer.processStart, AT_PROCESS_START);
  bytes.writeUInt32LE(writer.thread, AT_THREAD);
  bytes.writeDoubleLE(writer.pidNamespace, AT_PID_NAMESPACE);
  bytes.write(writer.bootId, AT_BOOT_ID, 16, 'hex');
  bytes.writeDoubleLE(header.createdMs, AT_CREATED);
  bytes.writeUInt32LE(header.entryBytes, AT_ENTRY_BYTES);
  bytes.writeUInt32LE(resource.length, AT_RESOURCE_LENGTH);
  bytes.writeUInt32LE(schemaUrl.length, AT_SCHEMA_URL_LENGTH);
  bytes.writeUInt32LE(header.isResourcePending ? 1 : 0, AT_RESOURCE_PENDING);
  bytes.writeUInt32LE(checksum(bytes, described), AT_CRC);
  bytes.set(described, AT_RESOURCE);
  return bytes;
}

/**
 * Bytes of the header, read from its first page, or why it is none. Trust what follows only after
 * {@link decodeHeader}.
 */
export function headerLengthOf(firstPage: Uint8Array): number | UnsoundReason {
  if (firstPage.length === 0) return 'empty';
  const bytes = asBuffer(firstPage);
  if (bytes.length < AT_RESOURCE) return 'truncated';
  const magic = bytes.toString('latin1', 0, 8);
  if (kindOf(magic) === undefined) return 'foreign';
  const version = bytes.readUInt32LE(AT_VERSION);
  if (version !== FORMAT_VERSION && version !== CHECKSUMS_VERSION) return 'version';
  const headerLength = bytes.readUInt32LE(AT_HEADER_LENGTH);
  if (headerLength === 0 || headerLength % PAGE_BYTES !== 0 || headerLength > MAX_HEADER_BYTES) return 'corrupt';
  return headerLength;
}

/** `bytes` is the whole header, in memory that nobody else changes. */
export function decodeHeader(bytes: Uint8Array): JournalHeader | UnsoundReason {
  const headerLength = headerLengthOf(bytes);
  if (typeof headerLength === 'string') return headerLength;
  if (bytes.length < headerLength) return 'truncated';
  const buffer = asBuffer(bytes);
  const resourceLength = buffer.readUInt32LE(AT_RESOURCE_LENGTH);
  const describedLength = resourceLength + buffer.readUInt32LE(AT_SCHEMA_URL_LENGTH);
  if (headerLength !== headerLengthOfParts(describedLength)) return 'corrupt';
  const described = bytes.subarray(AT_RESOURCE, AT_RESOURCE + describedLength);
  if (checksum(buffer, described) !== buffer.readUInt32LE(AT_CRC)) return 'checksum';
  const kind = kindOf(buffer.toString('latin1', 0, 8))!;
  const slot = buffer.readUInt32LE(AT_SLOT);
  const header: JournalHeader = {
    kind,
    headerLength,
    bodyLength: buffer.readUInt32LE(AT_BODY_LENGTH),
    sequence: buffer.readUInt32LE(AT_SEQUENCE),
    writer: {
      id: buffer.toString('hex', AT_WRITER_ID, AT_WRITER_ID + 16),
      pid: buffer.readUInt32LE(AT_PID),
      thread: buffer.readUInt32LE(AT_THREAD),
      processStart: buffer.readDoubleLE(AT_PROCESS_START),
      pidNamespace: buffer.readDoubleLE(AT_PID_NAMESPACE),
      bootId: buffer.toString('hex', AT_BOOT_ID, AT_BOOT_ID + 16),
      slot: slot === NO_SLOT ? undefined : slot,
    },
    createdMs: buffer.readDoubleLE(AT_CREATED),
    entryBytes: buffer.readUInt32LE(AT_ENTRY_BYTES),
    resource: described.subarray(0, resourceLength),
    schemaUrl: buffer.toString('utf8', AT_RESOURCE + resourceLength, AT_RESOURCE + describedLength),
    isResourcePending: buffer.readUInt32LE(AT_RESOURCE_PENDING) === 1,
    hasChecksums: buffer.readUInt32LE(AT_VERSION) === CHECKSUMS_VERSION,
  };
  const { least, most } = ENTRY_BYTES_TAKEN;
  const entriesFit =
    kind !== 'in-flight'
      ? header.entryBytes === 0
      : header.entryBytes >= least && header.entryBytes <= most && header.bodyLength % header.entryBytes === 0;
  return entriesFit ? header : 'corrupt';
}

/** The name of a file that is being made ends so, after the name that it gets. */
export const UNFINISHED = '.new';
/**
 * The name of a shipped segment that its writer may fill again ends so, after the segment's own: the shipper
 * gives it that name, and no reader looks at it any more. Whoever renames or deletes it first has it.
 */
export const SPARE = '.spare';

/**
 * The name of a writer's vitals page ends so. It is no file that a shipper ships: it goes when its writer is
 * done with.
 */
export const VITALS = '.vitals';

const FILE_NAME = /^([0-9a-f]{32})-([1-9][0-9]{0,9})\.(segment|logs|inflight)$/;

/** What a file's name says; `undefined` for a file that is not part of a journal. */
export function parseFileName(name: string): { kind: JournalFileKind; writerId: string; sequence: number } | undefined {
  const match = FILE_NAME.exec(name);
  if (match === null) return undefined;
  const kind = match[3] === 'inflight' ? 'in-flight' : (match[3] as 'segment' | 'logs');
  return { kind, writerId: match[1]!, sequence: Number(match[2]) };
}

export function fileName(kind: JournalFileKind, writerId: string, sequence: number): string {
  return `${writerId}-${sequence}.${kind === 'in-flight' ? 'inflight' : kind}`;
}

function kindOf(magic: string): JournalFileKind | undefined {
  return (Object.keys(MAGIC) as JournalFileKind[]).find((kind) => MAGIC[kind] === magic);
}

/** @param described the resource and its schema URL */
function checksum(header: Uint8Array, described: Uint8Array): number {
  return crc32(described, crc32(header.subarray(0, IMMUTABLE_END)));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
