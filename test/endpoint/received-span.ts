import { hex, type PlainAttributes, plainAttributes, protocol, type RawMessage, toBigInt } from './decode.js';

export interface ReceivedScope {
  name: string;
  version: string;
  attributes: PlainAttributes;
}

export interface ReceivedEvent {
  name: string;
  time: bigint;
  attributes: PlainAttributes;
  droppedAttributesCount: number;
}

export interface ReceivedLink {
  traceId: string;
  spanId: string;
  traceState: string;
  flags: number;
  attributes: PlainAttributes;
  droppedAttributesCount: number;
}

/** One span as an OTLP backend sees it, with the resource and scope that it came under. */
export interface ReceivedSpan {
  resource: PlainAttributes;
  scope: ReceivedScope;
  schemaUrl: string;
  traceId: string;
  spanId: string;
  /** '' for a root span. */
  parentSpanId: string;
  traceState: string;
  name: string;
  /** OTLP's number: 1 INTERNAL, 2 SERVER, 3 CLIENT, 4 PRODUCER, 5 CONSUMER. */
  kind: number;
  /** Nanoseconds since the epoch. */
  start: bigint;
  end: bigint;
  attributes: PlainAttributes;
  /** Code: 0 UNSET, 1 OK, 2 ERROR. */
  status: { code: number; message: string };
  events: ReceivedEvent[];
  links: ReceivedLink[];
  flags: number;
  droppedAttributesCount: number;
  droppedEventsCount: number;
  droppedLinksCount: number;
}

/** OTLP's span kinds, one more than the API's. */
export const OtlpSpanKind = { INTERNAL: 1, SERVER: 2, CLIENT: 3, PRODUCER: 4, CONSUMER: 5 } as const;

/** The spans of encoded `ExportTraceServiceRequest` or `TracesData` bytes, in order. */
export function decodeSpans(bytes: Uint8Array): ReceivedSpan[] {
  return flattenSpans(protocol.traces.request.decode(bytes));
}

/** The spans of a decoded `ExportTraceServiceRequest`, in order. */
export function flattenSpans(request: RawMessage): ReceivedSpan[] {
  return request.resourceSpans.flatMap((resourceSpans: RawMessage) => {
    const resource = plainAttributes(resourceSpans.resource?.attributes ?? []);
    return resourceSpans.scopeSpans.flatMap((scopeSpans: RawMessage) => {
      const scope = receivedScope(scopeSpans.scope);
      const schemaUrl = scopeSpans.schemaUrl || resourceSpans.schemaUrl || '';
      return scopeSpans.spans.map((span: RawMessage) => receivedSpan(span, resource, scope, schemaUrl));
    });
  });
}

export function receivedScope(scope: RawMessage): ReceivedScope {
  return {
    name: scope?.name ?? '',
    version: scope?.version ?? '',
    attributes: plainAttributes(scope?.attributes ?? []),
  };
}

function receivedSpan(
  span: RawMessage,
  resource: PlainAttributes,
  scope: ReceivedScope,
  schemaUrl: string,
): ReceivedSpan {
  return {
    resource,
    scope,
    schemaUrl,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    traceState: span.traceState ?? '',
    name: span.name ?? '',
    kind: span.kind ?? 0,
    start: toBigInt(span.startTimeUnixNano),
    end: toBigInt(span.endTimeUnixNano),
    attributes: plainAttributes(span.attributes),
    status: { code: span.status?.code ?? 0, message: span.status?.message ?? '' },
    events: span.events.map((event: RawMessage) => ({
      name: event.name ?? '',
      time: toBigInt(event.timeUnixNano),
      attributes: plainAttributes(event.attributes),
      droppedAttributesCount: event.droppedAttributesCount ?? 0,
    })),
    links: span.links.map((link: RawMessage) => ({
      traceId: hex(link.traceId),
      spanId: hex(link.spanId),
      traceState: link.traceState ?? '',
      flags: link.flags ?? 0,
      attributes: plainAttributes(link.attributes),
      droppedAttributesCount: link.droppedAttributesCount ?? 0,
    })),
    flags: span.flags ?? 0,
    droppedAttributesCount: span.droppedAttributesCount ?? 0,
    droppedEventsCount: span.droppedEventsCount ?? 0,
    droppedLinksCount: span.droppedLinksCount ?? 0,
  };
}
