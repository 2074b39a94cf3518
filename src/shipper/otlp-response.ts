/**
 * What an endpoint says about an export: the few fields of its answers that decide what happens next.
 *
 * @module
 */
import { printable } from '../printable.js';
import { fields } from './protobuf-fields.js';
import { ACCEPTED, type SendResult } from './transport.js';

const utf8 = new TextDecoder();

/** `ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } }`. */
export function acceptedBy(response: Uint8Array): SendResult {
  let rejected = 0;
  let message = '';
  for (const { number, bytes } of fields(response)) {
    if (number !== 1) continue;
    for (const field of fields(bytes)) {
      if (field.number === 1) rejected = field.value;
      else if (field.number === 2) message = utf8.decode(field.bytes);
    }
  }
  return rejected === 0 && message === ''
    ? ACCEPTED
    : { outcome: 'accepted', rejected: Math.max(0, rejected), message: printable(message) };
}

/**
 * The delay of a google.rpc.RetryInfo in `grpc-status-details-bin`, in milliseconds:
 * `Status { details = 3: Any { type_url = 1, value = 2: RetryInfo { retry_delay = 1: Duration { seconds = 1, nanos = 2 } } } }`
 * (google/rpc/status.proto, google/rpc/error_details.proto).
 */
export function retryDelayOf(status: Uint8Array): number | undefined {
  for (const detail of fields(status)) {
    if (detail.number !== 3) continue;
    let type = '';
    let value: Uint8Array | undefined;
    for (const { number, bytes } of fields(detail.bytes)) {
      if (number === 1) type = utf8.decode(bytes);
      else if (number === 2) value = bytes;
    }
    if (!type.endsWith('/google.rpc.RetryInfo') || !value) continue;
    let delayMs = 0;
    for (const delay of fields(value)) {
      if (delay.number !== 1) continue;
      for (const { number, value: amount } of fields(delay.bytes)) {
        if (number === 1) delayMs += amount * 1000;
        else if (number === 2) delayMs += amount / 1e6;
      }
    }
    return delayMs;
  }
  return undefined;
}

/** The message of a google.rpc.Status (google/rpc/status.proto), which OTLP/HTTP answers failures with. */
export function statusMessageOf(status: Uint8Array): string {
  for (const { number, bytes } of fields(status)) if (number === 2) return utf8.decode(bytes);
  return '';
}
