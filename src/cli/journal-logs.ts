import { chunkLengthAt } from '../journal/chunk.js';
import { type JournalFile, listJournal } from '../journal/list-journal.js';
import { isUnsound } from '../journal/open-file.js';
import { openSegment, type SegmentReader } from '../journal/segment-reader.js';
import type { LogListView } from '../viewer/api-types/logs.js';
import { LogStore } from '../viewer/store/log-store.js';
import { logList } from '../viewer/views/log-list.js';
import { decode } from '../wire/decode.js';
import { encode } from '../wire/encode.js';
import { LogsRequest, Resource, ResourceLogs } from '../wire/otlp.js';

const READ_BYTES = 1024 * 1024;

/** The log records that are in journals, those of dead processes included. Nothing is changed there. */
export class JournalLogs {
  readonly #store = new LogStore();
  readonly #directories: () => string[];
  readonly #from: 'first' | 'unshipped';
  /** How much of each segment has been read; a path is never used again for another one. */
  readonly #read = new Map<string, number>();

  /**
   * @param directories journals; asked again for each list
   * @param from `unshipped` leaves out what somebody else has already got
   */
  constructor(directories: () => string[], from: 'first' | 'unshipped') {
    this.#directories = directories;
    this.#from = from;
  }

  /** As the viewer's `GET /api/logs`; what is in the journals by now. */
  list(query: URLSearchParams): LogListView {
    for (const dir of this.#directories()) {
      for (const file of listJournal(dir)) if (file.kind === 'logs') this.#readSegment(file);
    }
    return logList(this.#store, query);
  }

  #readSegment(file: JournalFile): void {
    const segment = openSegment(file, true);
    // It has been shipped meanwhile, or is damaged: `inspect` says so.
    if (isUnsound(segment)) return;
    try {
      const { committed, shipped } = segment.state();
      let from = this.#read.get(file.path) ?? (this.#from === 'first' ? 0 : shipped);
      while (from < committed) {
        const { bytes, next, corrupt } = segment.read(from, committed, READ_BYTES);
        if (segment.isRefilled() || corrupt || next === from) break;
        this.#take(bytes, segment);
        from = next;
      }
      this.#read.set(file.path, from);
    } finally {
      segment.close();
    }
  }

  #take(bytes: Uint8Array, { header, trailer }: SegmentReader): void {
    for (let at = 0; at < bytes.length; ) {
      const end = at + chunkLengthAt(bytes, at, bytes.length, trailer);
      try {
        // A chunk is a ResourceLogs message with nothing else in it.
        const { scopeLogs = [] } = decode(bytes, ResourceLogs, at, end - trailer);
        const resourceLogs = [{ resource: decode(header.resource, Resource), scopeLogs }];
        this.#store.ingest(Buffer.from(encode({ resourceLogs }, LogsRequest)));
      } catch {
        // One damaged record costs no other.
      }
      at = end;
    }
  }
}
