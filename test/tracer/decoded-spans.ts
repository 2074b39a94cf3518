/**
 * OTLP bytes through the official protobuf definitions.
 *
 * @module
 */
import { createRequire } from 'node:module';

interface MessageType {
  decode(bytes: Uint8Array): unknown;
  toObject(message: unknown, options: object): Record<string, unknown>;
}

const require = createRequire(import.meta.url);
// Not among the package's exports.
const generated = require.resolve('otlp-transformer-protos').replace(/index\.js$/, 'generated/root.js');
const proto = require(generated).opentelemetry.proto;

const asText = { longs: String, bytes: String, defaults: true };

function decode(type: MessageType, bytes: Uint8Array): Record<string, unknown> {
  return type.toObject(type.decode(bytes), asText);
}

export interface DecodedSpan extends Record<string, unknown> {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string;
  kind: number;
  flags: number;
  attributes: { key: string; value: Record<string, unknown> }[];
  events: { name: string; attributes: { key: string; value: Record<string, unknown> }[] }[];
  status: { code: number; message: string } | null;
}

export interface DecodedScopeSpans {
  scope: { name: string; version: string };
  schemaUrl: string;
  spans: DecodedSpan[];
}

/** One `ResourceSpans.scope_spans` field after another. */
export function decodeScopeSpans(chunks: readonly Uint8Array[]): DecodedScopeSpans[] {
  return decode(proto.trace.v1.ResourceSpans, Buffer.concat(chunks)).scopeSpans as DecodedScopeSpans[];
}

/** The bare fields of a Span message. */
export function decodeSpan(fields: Uint8Array): DecodedSpan {
  return decode(proto.trace.v1.Span, fields) as DecodedSpan;
}

export function decodeRequest(bytes: Uint8Array): { scopeSpans: DecodedScopeSpans[] }[] {
  return decode(proto.collector.trace.v1.ExportTraceServiceRequest, bytes).resourceSpans as {
    scopeSpans: DecodedScopeSpans[];
  }[];
}
