import { randomBytes } from 'node:crypto';
import { Encoder, encodeResource, encodeScopeFields } from '#src/journal/encoder.js';

/** The fields of a Span message that is all a test needs. */
export function spanFields(
  name: string,
  traceId = randomBytes(16),
  spanId = randomBytes(8),
  startMs = 1_700_000_000_000,
): Uint8Array {
  const encoder = new Encoder();
  encoder.bytesField(0x0a, traceId);
  encoder.bytesField(0x12, spanId);
  encoder.stringField(0x2a, name);
  encoder.tag(0x30);
  encoder.varint(2);
  encoder.timeField(0x39, Math.floor(startMs / 1000), (startMs % 1000) * 1e6);
  return encoder.bytes.slice(0, encoder.at);
}

/** One `ExportTraceServiceRequest` with spans named `span 0` and so on. */
export function exportRequest(spans: number): Uint8Array {
  const encoder = new Encoder();
  encoder.tag(0x0a);
  const resourceSpans = encoder.begin();
  encoder.bytesField(0x0a, encodeResource({ 'service.name': 'shop' }));
  encoder.tag(0x12);
  const scopeSpans = encoder.begin();
  encoder.raw(encodeScopeFields({ name: 'test' }).bytes);
  for (let n = 0; n < spans; n++) {
    encoder.bytesField(0x12, spanFields(`span ${n}`, Buffer.alloc(16, 1), Buffer.alloc(8, n + 1)));
  }
  encoder.end(scopeSpans);
  encoder.end(resourceSpans);
  return encoder.bytes.slice(0, encoder.at);
}
