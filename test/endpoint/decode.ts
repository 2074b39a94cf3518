/**
 * OTLP bytes into plain objects, by the classes that protobufjs generated from the official protocol
 * definitions: never by the twin of our own encoder.
 *
 * @module
 */
import root from 'otlp-transformer-protos/build/src/generated/root.js';

/** A decoded protobuf message; 64-bit integers are Long objects. */
// biome-ignore lint/suspicious/noExplicitAny: the generated declarations say no more than this.
export type RawMessage = any;

interface MessageClass {
  decode(bytes: Uint8Array): RawMessage;
  encode(message: RawMessage): { finish(): Uint8Array };
  fromObject(plain: object): RawMessage;
}

interface Protocol {
  collector: {
    trace: { v1: { ExportTraceServiceRequest: MessageClass; ExportTraceServiceResponse: MessageClass } };
    logs: { v1: { ExportLogsServiceRequest: MessageClass; ExportLogsServiceResponse: MessageClass } };
    metrics: { v1: { ExportMetricsServiceRequest: MessageClass; ExportMetricsServiceResponse: MessageClass } };
  };
}

const { collector } = (root as RawMessage).opentelemetry.proto as Protocol;

export type Signal = 'traces' | 'logs' | 'metrics';

/** The request and response classes of each signal. */
export const protocol: Record<Signal, { request: MessageClass; response: MessageClass }> = {
  traces: {
    request: collector.trace.v1.ExportTraceServiceRequest,
    response: collector.trace.v1.ExportTraceServiceResponse,
  },
  logs: {
    request: collector.logs.v1.ExportLogsServiceRequest,
    response: collector.logs.v1.ExportLogsServiceResponse,
  },
  metrics: {
    request: collector.metrics.v1.ExportMetricsServiceRequest,
    response: collector.metrics.v1.ExportMetricsServiceResponse,
  },
};

/** OTLP/JSON as protobuf: ids are in hexadecimal there, other bytes in base64 as in ProtoJSON. */
export function fromJson(signal: Signal, body: Uint8Array): Buffer {
  const { request } = protocol[signal];
  const plain = JSON.parse(Buffer.from(body).toString(), (key, value) =>
    /^(trace|span|parentSpan)Id$/.test(key) && typeof value === 'string'
      ? Buffer.from(value, 'hex').toString('base64')
      : value,
  );
  return Buffer.from(request.encode(request.fromObject(plain)).finish());
}

export type PlainValue =
  | string
  | boolean
  | number
  | bigint
  | Uint8Array
  | null
  | PlainValue[]
  | { [key: string]: PlainValue };
export type PlainAttributes = Record<string, PlainValue>;

/** A 64-bit integer of a decoded message, whatever class it has come in. */
export function toBigInt(value: RawMessage): bigint {
  return value === null || value === undefined ? 0n : BigInt(value.toString());
}

/** Integers that a double holds exactly are numbers, others bigint. */
function toInteger(value: RawMessage): number | bigint {
  const big = toBigInt(value);
  return big >= BigInt(Number.MIN_SAFE_INTEGER) && big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
}

export function plainValue(value: RawMessage): PlainValue {
  if (!value) return null;
  const set = (field: string) => value[field] !== null && value[field] !== undefined;
  if (set('stringValue')) return value.stringValue;
  if (set('boolValue')) return value.boolValue;
  if (set('intValue')) return toInteger(value.intValue);
  if (set('doubleValue')) return value.doubleValue;
  if (set('bytesValue')) return new Uint8Array(value.bytesValue);
  if (set('arrayValue')) return value.arrayValue.values.map(plainValue);
  if (set('kvlistValue')) return plainAttributes(value.kvlistValue.values);
  return null;
}

/** Fails on a key that comes twice: OTLP demands unique keys, and a plain object would hide the second. */
export function plainAttributes(pairs: RawMessage[]): PlainAttributes {
  const attributes: PlainAttributes = {};
  for (const { key, value } of pairs) {
    if (Object.hasOwn(attributes, key)) throw new Error(`attribute ${JSON.stringify(key)} comes twice`);
    attributes[key] = plainValue(value);
  }
  return attributes;
}

export const hex = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('hex');
