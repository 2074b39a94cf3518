/** Makes OTLP requests of plain descriptions, and sends them. */
import { randomBytes } from 'node:crypto';
import { encode } from '#src/wire/encode.js';
import { TracesRequest } from '#src/wire/otlp.js';
import type { AnyValue, KeyValue, OtlpEvent, OtlpLink, TracesData } from '#src/wire/otlp-json.js';

export type Plain = string | number | boolean | Plain[];

export interface FeedSpan {
  traceId?: string;
  spanId?: string;
  parentSpanId?: string;
  name?: string;
  kind?: number;
  startMs?: number;
  durationMs?: number;
  error?: string | boolean;
  attributes?: Record<string, Plain>;
  events?: { name: string; atMs?: number; attributes?: Record<string, Plain> }[];
  links?: OtlpLink[];
}

export const newTraceId = () => randomBytes(16).toString('hex');
export const newSpanId = () => randomBytes(8).toString('hex');

const nanos = (ms: number) => (BigInt(Math.round(ms * 1000)) * 1000n).toString();

function anyValue(value: Plain): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value === 'number') return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map(anyValue) } };
}

export function keyValues(attributes: Record<string, Plain> = {}): KeyValue[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));
}

/** Spans of one process as OTLP/JSON. */
export function tracesData(
  spans: FeedSpan[],
  resource: Record<string, Plain> = { 'service.name': 'shop' },
): TracesData {
  return {
    resourceSpans: [
      {
        resource: { attributes: keyValues(resource) },
        scopeSpans: [
          {
            scope: { name: 'feed', version: '1' },
            spans: spans.map((span) => {
              const startMs = span.startMs ?? Date.now();
              return {
                traceId: span.traceId ?? newTraceId(),
                spanId: span.spanId ?? newSpanId(),
                parentSpanId: span.parentSpanId ?? '',
                name: span.name ?? 'span',
                kind: span.kind ?? 1,
                startTimeUnixNano: nanos(startMs),
                endTimeUnixNano: nanos(startMs + (span.durationMs ?? 1)),
                attributes: keyValues(span.attributes),
                events: (span.events ?? []).map(
                  (event): OtlpEvent => ({
                    timeUnixNano: nanos(event.atMs ?? startMs),
                    name: event.name,
                    attributes: keyValues(event.attributes),
                  }),
                ),
                links: span.links ?? [],
                status: span.error
                  ? { code: 2, message: typeof span.error === 'string' ? span.error : '' }
                  : { code: 0 },
              };
            }),
          },
        ],
      },
    ],
  };
}

/** The same as protobuf. */
export function tracesRequest(spans: FeedSpan[], resource?: Record<string, Plain>): Buffer {
  return encode(tracesData(spans, resource), TracesRequest);
}

/** Posts protobuf to the viewer, and expects it to be taken. */
export async function send(otlpHttpUrl: string, spans: FeedSpan[], resource?: Record<string, Plain>): Promise<void> {
  const response = await fetch(`${otlpHttpUrl}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-protobuf' },
    body: tracesRequest(spans, resource),
  });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
}
