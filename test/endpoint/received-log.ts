import {
  hex,
  type PlainAttributes,
  type PlainValue,
  plainAttributes,
  plainValue,
  type RawMessage,
  toBigInt,
} from './decode.js';
import { type ReceivedScope, receivedScope } from './received-span.js';

/** A log record, with its resource and scope. */
export interface ReceivedLog {
  resource: PlainAttributes;
  scope: ReceivedScope;
  /** Nanoseconds since the epoch. */
  time: bigint;
  observedTime: bigint;
  severityNumber: number;
  severityText: string;
  body: PlainValue;
  attributes: PlainAttributes;
  droppedAttributesCount: number;
  /** Hex; empty where there is none. */
  traceId: string;
  spanId: string;
  flags: number;
  eventName: string;
}

/** The records of a decoded `ExportLogsServiceRequest`, in order. */
export function flattenLogs(request: RawMessage): ReceivedLog[] {
  return request.resourceLogs.flatMap((resourceLogs: RawMessage) => {
    const resource = plainAttributes(resourceLogs.resource?.attributes ?? []);
    return resourceLogs.scopeLogs.flatMap((scopeLogs: RawMessage) => {
      const scope = receivedScope(scopeLogs.scope);
      return scopeLogs.logRecords.map((record: RawMessage) => receivedLog(record, resource, scope));
    });
  });
}

function receivedLog(record: RawMessage, resource: PlainAttributes, scope: ReceivedScope): ReceivedLog {
  return {
    resource,
    scope,
    time: toBigInt(record.timeUnixNano),
    observedTime: toBigInt(record.observedTimeUnixNano),
    severityNumber: record.severityNumber ?? 0,
    severityText: record.severityText ?? '',
    body: plainValue(record.body),
    attributes: plainAttributes(record.attributes),
    droppedAttributesCount: record.droppedAttributesCount ?? 0,
    traceId: hex(record.traceId),
    spanId: hex(record.spanId),
    flags: record.flags ?? 0,
    eventName: record.eventName ?? '',
  };
}
