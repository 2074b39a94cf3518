import { attributesText, valueText } from '../../wire/attribute-text.js';
import { CLUSTER_WORKER_INCARNATION, CLUSTER_WORKER_PID, CLUSTER_WORKER_SLOT } from '../../wire/conventions.js';
import { decode } from '../../wire/decode.js';
import { encode } from '../../wire/encode.js';
import { LogsRequest, Resource } from '../../wire/otlp.js';
import type { KeyValue, OtlpLogRecord } from '../../wire/otlp-json.js';
import type { LogRecordView } from '../api-types/logs.js';
import { Interned } from './interned.js';
import { attributeNumber, type ProcessResource, processResource } from './process-resource.js';

export interface StoredLog extends LogRecordView {
  /** The how manieth to arrive. */
  sequence: number;
  resource: ProcessResource;
  /** Of memory that it takes. */
  bytes: number;
}

/** What the store of logs may hold; the oldest goes first. */
const MAX_LOGS = 50_000;
const MAX_BYTES = 16 * 1024 * 1024;
/**
 * Places of records that have gone and are taken out at once: moving a long list for each costs more than the
 * rest.
 */
const GONE_AT_ONCE = 1024;
/** Measured on Node 20: heap of a record, and of each of its attributes, beside their texts. */
const RECORD_OVERHEAD_BYTES = 440;
const ATTRIBUTE_OVERHEAD_BYTES = 160;

/** Log records in memory, by arrival, bounded in number and bytes. */
export class LogStore {
  readonly #logs: StoredLog[] = [];
  /** Before it all have gone, and wait to be taken out. */
  #first = 0;
  readonly #resources = new Interned<ProcessResource>(processResource, 1024);
  #bytes = 0;
  #gone = false;
  received = 0;
  version = 0;

  /** Takes an `ExportLogsServiceRequest`. @throws MalformedProtobuf */
  ingest(request: Buffer): void {
    const { resourceLogs = [] } = decode(request, LogsRequest);
    for (const { resource = {}, scopeLogs = [] } of resourceLogs) {
      const bytes = encode(resource, Resource);
      const process = this.#resources.get(bytes, 0, bytes.length);
      for (const { scope, logRecords = [] } of scopeLogs) {
        for (const record of logRecords) this.#add(record, process, scope?.name ?? '');
      }
    }
    this.version++;
  }

  get size(): number {
    return this.#logs.length - this.#first;
  }

  /** Time of the oldest that is held, when older ones had to go. */
  get sinceMs(): number | undefined {
    return this.#gone ? this.#logs[this.#first]?.timeMs : undefined;
  }

  /** By arrival, the newest first. */
  *newestFirst(): Generator<StoredLog> {
    for (let index = this.#logs.length - 1; index >= this.#first; index--) yield this.#logs[index]!;
  }

  /** By time. */
  ofTrace(traceId: string): StoredLog[] {
    const found: StoredLog[] = [];
    for (const log of this.newestFirst()) if (log.traceId === traceId) found.push(log);
    return found.sort((a, b) => a.timeMs - b.timeMs);
  }

  clear(): void {
    this.#logs.length = 0;
    this.#first = 0;
    this.#bytes = 0;
    this.#gone = false;
    this.version++;
  }

  #add(record: OtlpLogRecord, resource: ProcessResource, scope: string): void {
    const { attributes = [], traceId = '', spanId = '' } = record;
    const body = valueText(record.body) || record.eventName || '';
    const bytes =
      RECORD_OVERHEAD_BYTES +
      ATTRIBUTE_OVERHEAD_BYTES * attributes.length +
      body.length +
      attributesText(attributes).length;
    this.#logs.push({
      sequence: ++this.received,
      timeMs: Number(record.timeUnixNano ?? record.observedTimeUnixNano ?? 0) / 1e6 || Date.now(),
      severity: record.severityNumber ?? 0,
      severityText: record.severityText ?? '',
      body,
      traceId: /^0*$/.test(traceId) ? '' : traceId,
      spanId: /^0*$/.test(spanId) ? '' : spanId,
      attributes,
      resource: writerOf(attributes, resource),
      scope,
      bytes,
    });
    this.#bytes += bytes;
    while (this.size > MAX_LOGS || this.#bytes > MAX_BYTES) {
      this.#bytes -= this.#logs[this.#first++]!.bytes;
      this.#gone = true;
    }
    if (this.#first < GONE_AT_ONCE) return;
    this.#logs.splice(0, this.#first);
    this.#first = 0;
  }
}

/** A worker whose standard error the coordinator has read; else the process that the resource is of. */
function writerOf(attributes: KeyValue[], resource: ProcessResource): ProcessResource {
  const slot = attributeNumber(attributes, CLUSTER_WORKER_SLOT);
  if (slot === undefined) return resource;
  const incarnation = attributeNumber(attributes, CLUSTER_WORKER_INCARNATION);
  return { ...resource, slot, incarnation, pid: attributeNumber(attributes, CLUSTER_WORKER_PID) };
}
