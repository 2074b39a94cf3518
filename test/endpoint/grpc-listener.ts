import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import type { Signal } from './decode.js';
import type { Listener, ReceiveRequest } from './listener.js';
import { retryInfoStatus } from './status-details.js';

const PATHS: Record<Signal, string> = {
  traces: 'trace.v1.TraceService',
  logs: 'logs.v1.LogsService',
  metrics: 'metrics.v1.MetricsService',
};

const identity = (bytes: Buffer) => bytes;

const method = (path: string) => ({
  export: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: identity,
    requestDeserialize: identity,
    responseSerialize: identity,
    responseDeserialize: identity,
  },
});

/** OTLP/gRPC on `port` of the loopback interface. */
export async function listenGrpc(
  port: number,
  receive: ReceiveRequest,
  maxBytes: number,
  takes: (signal: Signal) => boolean,
): Promise<Listener> {
  const server = new Server({ 'grpc.max_receive_message_length': maxBytes });
  const handler = (signal: Signal) => ({
    async export(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
      const headers = Object.fromEntries(
        Object.entries(call.metadata.getMap()).map(([name, value]) => [name, String(value)]),
      );
      const outcome = await receive({ signal, protocol: 'grpc', headers, body: call.request });
      if ('response' in outcome) return callback(null, Buffer.from(outcome.response));
      const { grpc, message, retryAfterMs } = outcome.failure;
      const metadata = new Metadata();
      if (retryAfterMs !== undefined) {
        metadata.set('grpc-status-details-bin', retryInfoStatus(grpc, message, retryAfterMs));
      }
      callback({ code: grpc ?? status.INTERNAL, details: message, metadata });
    },
  });
  for (const [signal, path] of Object.entries(PATHS) as [Signal, string][]) {
    if (takes(signal)) server.addService(method(`/opentelemetry.proto.collector.${path}/Export`), handler(signal));
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return { port: bound, close: async () => server.forceShutdown() };
}
