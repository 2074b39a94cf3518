/**
 * A real OTLP/gRPC endpoint that counts spans and does no more, in a process of its own: a sink that decoded
 * every span would take the CPU time that is to be measured. Only while it is told to `keep`, bodies are kept
 * whole, for the assertion that spans with the right attributes really arrive.
 *
 * @module
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, createUnzip } from 'node:zlib';
import { Server, ServerCredentials } from '@grpc/grpc-js';

let spans = 0;
let bytes = 0;
/** Bodies since `keep`: OTLP requests, and what was posted by those who do not speak OTLP. */
let kept: { otlp: string[]; posted: string[] } | undefined;

/** Field 1 (resource_spans) → 2 (scope_spans) → 2 (spans): counts without decoding. */
function countSpans(message: Buffer, path: readonly number[] = [1, 2, 2], from = 0, to = message.length): number {
  let count = 0;
  let at = from;
  const varint = () => {
    let value = 0;
    let shift = 1;
    for (;;) {
      const byte = message[at++]!;
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
      shift *= 128;
    }
  };
  while (at < to) {
    const tag = varint();
    const length = varint();
    // The messages on the path have length-delimited fields only.
    if (tag >> 3 === path[0]) count += path.length === 1 ? 1 : countSpans(message, path.slice(1), at, at + length);
    at += length;
  }
  return count;
}

const identity = (buffer: Buffer) => buffer;
const server = new Server({ 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
server.addService(
  {
    export: {
      path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
      responseSerialize: identity,
      responseDeserialize: identity,
    },
  },
  {
    export: (call: { request: Buffer }, callback: (error: null, response: Buffer) => void) => {
      kept?.otlp.push(call.request.toString('base64'));
      bytes += call.request.length;
      spans += countSpans(call.request);
      callback(null, Buffer.alloc(0));
    },
  },
);

// Peers that do not speak OTLP send here: anything is taken, and answered with an empty object.
const http = createServer((request, response) => {
  request.on('end', () => response.setHeader('content-type', 'application/json').end('{}'));
  if (kept === undefined) {
    request.resume();
    return;
  }
  // A body may stay open for as long as its sender likes, so what has come of it counts.
  const { posted } = kept;
  const compressed = /gzip|deflate/.test(request.headers['content-encoding'] ?? '');
  const body = compressed ? request.pipe(createUnzip({ finishFlush: constants.Z_SYNC_FLUSH })) : request;
  body.on('data', (chunk: Buffer) => posted.push(chunk.toString('latin1')));
  body.on('error', () => request.resume());
});
http.listen(0, '127.0.0.1', () => {
  const { port: httpPort } = http.address() as AddressInfo;
  server.bindAsync(`127.0.0.1:${process.env.SINK_PORT ?? 0}`, ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.send?.({ port, httpPort });
  });
});
process.on('message', (message) => {
  if (message === 'counts') process.send?.({ spans, bytes });
  if (message === 'keep') kept = { otlp: [], posted: [] };
  if (message === 'kept') process.send?.(kept);
  if (message === 'forget') kept = undefined;
});
process.on('disconnect', () => process.exit());
