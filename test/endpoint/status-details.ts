/** Length-delimited protobuf field. Short enough here for one-byte lengths. */
function field(number: number, content: Uint8Array): Buffer {
  if (content.length > 127) throw new RangeError(`${content.length} bytes in a field`);
  return Buffer.concat([Buffer.from([(number << 3) | 2, content.length]), content]);
}

function varintField(number: number, value: number): Buffer {
  const bytes = [number << 3];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}

/**
 * The value of `grpc-status-details-bin`: a google.rpc.Status with one google.rpc.RetryInfo.
 * (google/rpc/status.proto, google/rpc/error_details.proto, google/protobuf/duration.proto)
 */
export function retryInfoStatus(code: number, message: string, retryAfterMs: number): Buffer {
  const duration = Buffer.concat([
    varintField(1, Math.floor(retryAfterMs / 1000)),
    varintField(2, Math.round((retryAfterMs % 1000) * 1e6)),
  ]);
  const retryInfo = Buffer.concat([
    field(1, Buffer.from('type.googleapis.com/google.rpc.RetryInfo')),
    field(2, field(1, duration)),
  ]);
  return Buffer.concat([varintField(1, code), field(2, Buffer.from(message)), field(3, retryInfo)]);
}
