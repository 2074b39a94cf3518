/**
 * Spans of two tracers side by side, as an endpoint would decode them.
 *
 * @module
 */
import type { TestContext } from 'node:test';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { type DecodedScopeSpans, type DecodedSpan, decodeRequest } from './decoded-spans.js';
import { PERFORMANCE_START } from './span-script.js';

const CALENDAR_START = 1_900_000_000_000;
export const resource = resourceFromAttributes({ 'service.name': 'shop' });

export const defaultLimits = {
  attributeValueLengthLimit: Number.POSITIVE_INFINITY,
  attributeCountLimit: 128,
  eventCountLimit: 128,
  linkCountLimit: 128,
  attributePerEventCountLimit: 128,
  attributePerLinkCountLimit: 128,
};

/** A clock that stands still unless told, for both. */
export class Time {
  now = PERFORMANCE_START;

  constructor(t: TestContext) {
    t.mock.method(performance, 'now', () => this.now);
    t.mock.method(Date, 'now', () => CALENDAR_START + this.now - PERFORMANCE_START);
  }
}

/** What the SDK's batch processor would export. */
export class Collected implements SpanProcessor {
  readonly spans: ReadableSpan[] = [];
  onStart(): void {}
  onEnd(span: ReadableSpan): void {
    if (span.spanContext().traceFlags & 1) this.spans.push(span);
  }
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}

/** By span id, in a form that compares. */
export function byId(decoded: readonly DecodedScopeSpans[]): Record<string, unknown> {
  const spans: Record<string, unknown> = {};
  for (const { scope, schemaUrl, spans: some } of decoded) {
    for (const span of some) spans[span.spanId] = { scope, schemaUrl, ...comparable(span) };
  }
  return spans;
}

/** Attributes have no order, and no status is status 0. */
function comparable(span: DecodedSpan): object {
  return {
    ...span,
    status: span.status ?? { code: 0, message: '' },
    attributes: sorted(span.attributes),
    events: span.events.map((event) => ({ ...event, attributes: sorted(event.attributes) })),
    links: (span.links as DecodedSpan[]).map((link) => ({ ...link, attributes: sorted(link.attributes) })),
  };
}

function sorted(attributes: DecodedSpan['attributes']): DecodedSpan['attributes'] {
  return [...attributes].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** What the SDK's exporter sends of these spans. */
export function exported(spans: readonly ReadableSpan[]): Record<string, unknown> {
  if (spans.length === 0) return {};
  return byId(decodeRequest(ProtobufTraceSerializer.serializeRequest([...spans])!).flatMap((one) => one.scopeSpans));
}
