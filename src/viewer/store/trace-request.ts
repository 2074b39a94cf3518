import { tags } from '../../wire/message.js';
import { ResourceSpans, ScopeSpans, TracesRequest } from '../../wire/otlp.js';
import { ProtobufWriter } from '../../wire/protobuf-writer.js';
import type { StoredSpan } from './trace.js';

/** One for all: nothing else runs while spans are written. */
const writer = new ProtobufWriter();

/** Spans as they could be received again: a trace export request. */
export function traceRequestOf(spans: Iterable<StoredSpan>): Buffer {
  writer.reset();
  for (const { resource, scope, bytes } of spans) {
    writer.tag(tags(TracesRequest).resourceSpans);
    const resourceSpans = writer.begin();
    writer.bytesField(tags(ResourceSpans).resource, resource.bytes);
    writer.tag(tags(ResourceSpans).scopeSpans);
    const scopeSpans = writer.begin();
    writer.bytesField(tags(ScopeSpans).scope, scope.bytes);
    writer.bytesField(tags(ScopeSpans).spans, bytes);
    writer.end(scopeSpans);
    writer.end(resourceSpans);
  }
  const request = Buffer.from(writer.copy().buffer);
  writer.shrink();
  return request;
}
