/**
 * What an endpoint says about an export: the few fields of its answers that decide what happens next.
 *
 * @module
 */
import { printable } from '../printable.js';
import { decode } from '../wire/decode.js';
import type { Message } from '../wire/message.js';
import { RetryInfo, RpcStatus, TracesResponse } from '../wire/otlp.js';
import { ACCEPTED, type SendResult } from './transport.js';

/**
 * @param response an ExportTraceServiceResponse, or an ExportLogsServiceResponse, whose fields have the same
 * numbers; with anything else, the status that came with it counts
 */
export function acceptedBy(response: Uint8Array): SendResult {
  const { rejectedSpans = '0', errorMessage = '' } = decoded(response, TracesResponse)?.partialSuccess ?? {};
  const rejected = Number(rejectedSpans);
  return rejected === 0 && errorMessage === ''
    ? ACCEPTED
    : { outcome: 'accepted', rejected: Math.max(0, rejected), message: printable(errorMessage) };
}

/** The same in JSON. What is none was an acceptance all the same: its status said so. */
export function acceptedByJson(response: Buffer): SendResult {
  let partial: Record<string, unknown>;
  try {
    // The specification wants lowerCamelCase; a server that prints protobuf's own names says the same.
    partial = lowerCamelCase(lowerCamelCase(JSON.parse(response.toString() || '{}')).partialSuccess);
  } catch {
    return ACCEPTED;
  }
  const { rejectedSpans, rejectedLogRecords, errorMessage } = partial;
  const rejected = Math.trunc(Math.max(0, Number(rejectedSpans ?? rejectedLogRecords ?? 0)) || 0);
  const message = String(errorMessage ?? '');
  return rejected === 0 && message === '' ? ACCEPTED : { outcome: 'accepted', rejected, message: printable(message) };
}

const lowerCamelCase = (json: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(json ?? {}).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase()),
      value,
    ]),
  );

/** The delay of a google.rpc.RetryInfo in `grpc-status-details-bin`, a google.rpc.Status, in milliseconds. */
export function retryDelayOf(status: Uint8Array): number | undefined {
  const details = decoded(status, RpcStatus)?.details;
  const detail = details?.find(({ typeUrl }) => typeUrl?.endsWith(`/${RetryInfo.name}`));
  if (detail?.value === undefined) return undefined;
  const retryInfo = decoded(Buffer.from(detail.value, 'base64'), RetryInfo);
  if (retryInfo === undefined) return undefined;
  const { seconds = '0', nanos = 0 } = retryInfo.retryDelay ?? {};
  return Number(seconds) * 1000 + nanos / 1e6;
}

/** The message of a google.rpc.Status, which OTLP/HTTP answers failures with. */
export function statusMessageOf(status: Uint8Array): string {
  return decoded(status, RpcStatus)?.message ?? '';
}

/** undefined for what is not that message. */
function decoded<Json>(bytes: Uint8Array, message: Message<Json>): Json | undefined {
  try {
    return decode(bytes, message);
  } catch {
    return undefined;
  }
}
