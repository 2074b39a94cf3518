/**
 * How one writer's next file is made: in which directory, for which user, and with which header.
 *
 * @module
 */
import { warn } from '../warn.js';
import { whyNotToMap } from './file-system.js';
import {
  headerLengthFor,
  type JournalFileKind,
  type JournalHeader,
  MAX_RESOURCE_BYTES,
  type WriterIdentity,
} from './format.js';
import { newWriterIdentity } from './identity.js';
import type { JournalOptions } from './journal.js';
import { makeRoom, openDirectory } from './journal-directory.js';
import type { FilePlan } from './journal-file.js';
import type { LossLedger } from './loss-ledger.js';
import type { Mapping } from './mapped-memory.js';

const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;

/** What a writer could not keep, of both kinds of items. */
export interface WriterLosses {
  readonly spans: LossLedger;
  readonly logs: LossLedger;
}

export class FilePlans {
  /** Changes when the process has changed its user: see {@link goElsewhere}. */
  dir: string;
  /** Whose files are made: another one after {@link renewIdentity}. */
  identity: WriterIdentity;
  /** How files become memory; undefined in `write` mode. */
  readonly mapping: Mapping | undefined;
  /** Each chunk of a segment has a checksum. */
  readonly hasChecksums: boolean;
  readonly #maxBytes: number;
  readonly #renewed: JournalOptions['renewed'];
  readonly #dirOfUser: JournalOptions['dirOfUser'];
  readonly #losses: WriterLosses;
  #described: Pick<JournalHeader, 'resource' | 'schemaUrl' | 'isResourcePending'>;
  /** The user whose files in {@link dir} are. */
  #uid = process.geteuid?.();

  constructor(options: JournalOptions, mapping: Mapping | undefined, losses: WriterLosses) {
    this.dir = options.dir;
    this.mapping = mapping;
    this.hasChecksums = options.sync === 'interval';
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#renewed = options.renewed;
    this.#dirOfUser = options.dirOfUser;
    this.#losses = losses;
    this.identity = newWriterIdentity(options.slot);
    this.#described = {
      resource: options.resource.slice(),
      schemaUrl: options.schemaUrl ?? '',
      isResourcePending: options.isResourcePending ?? false,
    };
  }

  get headerLength(): number {
    return headerLengthFor(this.#described);
  }

  /** @param entryBytes of one entry, for an in-flight table; else 0 */
  plan(kind: JournalFileKind, bodyLength: number, entryBytes: number, sequence: number): FilePlan {
    const hasChecksums = this.hasChecksums && (kind === 'segment' || kind === 'logs');
    return {
      dir: this.dir,
      mapping: this.mapping,
      header: { kind, bodyLength, sequence, writer: this.identity, entryBytes, hasChecksums, ...this.#described },
    };
  }

  /** Files made from now on belong to a new writer id. */
  renewIdentity(): void {
    this.identity = newWriterIdentity(this.identity.slot);
    this.#renewed?.(this.identity.id, this.dir);
  }

  /** Somebody has deleted the writer's files, and what is said of it beside them. */
  sayAgain(): void {
    this.#renewed?.(this.identity.id, this.dir);
  }

  /** Whether attributes of the resource are still awaited. */
  get isResourcePending(): boolean {
    return this.#described.isResourcePending;
  }

  /** Files made from now on have this resource, or the old one where this one is too large for a header. */
  useResource(resource: Uint8Array): void {
    const { schemaUrl } = this.#described;
    const isTooLarge = resource.length + schemaUrl.length * 3 > MAX_RESOURCE_BYTES;
    this.#described = {
      resource: isTooLarge ? this.#described.resource : resource.slice(),
      schemaUrl,
      isResourcePending: false,
    };
  }

  /** Deletes the oldest segments of the directory when a new file of so many bytes exceeds `maxBytes`. */
  keepBound(bytes: number): void {
    try {
      const { spans, logRecords } = makeRoom(this.dir, bytes, this.#maxBytes);
      const reason = `${this.dir} may hold ${this.#maxBytes} bytes and has not been shipped`;
      if (spans > 0) this.#losses.spans.lose('dropped', spans, reason);
      if (logRecords > 0) this.#losses.logs.lose('dropped', logRecords, reason);
    } catch {
      // Another writer has the same right; making the file says what is wrong.
    }
  }

  /**
   * Makes further files in a directory of the new user's own, when the process has changed its user and may
   * make no more files in this one. Open files remain as good as before: the in-flight table and the vitals
   * page stay where they are, because the shipper of that directory hears how the process ended.
   *
   * @param error with which the system has refused a file
   * @returns whether there is such a directory, other than the one that has refused the file
   */
  goElsewhere(error: unknown): boolean {
    const { code } = error as NodeJS.ErrnoException;
    const uid = process.geteuid?.();
    if ((code !== 'EACCES' && code !== 'EPERM') || uid === this.#uid || this.#dirOfUser === undefined) return false;
    const dir = this.#dirOfUser();
    try {
      openDirectory(dir);
      if (this.mapping !== undefined && whyNotToMap(dir) !== undefined) return false;
    } catch {
      // Said with what is lost by it.
      return false;
    }
    warn(
      'FORKTRACE_USER_CHANGED',
      `This process now runs as user ${uid}, who cannot create files in ${this.dir}. Its journal continues in ${dir}, with a shipper of that user.`,
    );
    this.#uid = uid;
    this.dir = dir;
    this.#losses.spans.dir = this.#losses.logs.dir = dir;
    this.#renewed?.(this.identity.id, dir);
    return true;
  }
}
