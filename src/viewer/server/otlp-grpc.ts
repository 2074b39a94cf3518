/**
 * OTLP/gRPC: the Export call of the trace, metrics and logs services, with messages left as bytes.
 *
 * @module
 */
import { createServer } from 'node:net';
import type { ServerUnaryCall, ServiceDefinition, sendUnaryData } from '@grpc/grpc-js';
import { sameToken } from './access.js';
import type { Ingest } from './ingest.js';
import { listenOn } from './listen.js';
import { MAX_BODY_BYTES } from './request-body.js';

export interface GrpcReceiver {
  /** Resolves with the bound port; rejects with the socket's error. */
  bind(host: string, port: number): Promise<number>;
  close(): void;
}

const asBytes = (bytes: Buffer) => bytes;

function exportService(service: string): ServiceDefinition {
  return {
    export: {
      path: `/opentelemetry.proto.collector.${service}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: asBytes,
      requestDeserialize: asBytes,
      responseSerialize: asBytes,
      responseDeserialize: asBytes,
    },
  };
}

type ExportCall = ServerUnaryCall<Buffer, Buffer>;

export async function createGrpcReceiver(ingest: Ingest, token: string | undefined): Promise<GrpcReceiver> {
  const { Server, ServerCredentials, status } = await import('@grpc/grpc-js');
  const server = new Server({
    'grpc.max_receive_message_length': MAX_BODY_BYTES,
    // Two receivers on one port would each get half of the spans.
    'grpc.so_reuseport': 0,
  });

  function handler(take: (request: Buffer) => void) {
    return (call: ExportCall, answer: sendUnaryData<Buffer>) => {
      const given = /^Bearer (.+)$/i.exec(String(call.metadata.get('authorization')[0] ?? ''))?.[1];
      if (token !== undefined && (given === undefined || !sameToken(given, token))) {
        answer({ code: status.UNAUTHENTICATED, details: 'metadata authorization: Bearer <token> is needed' });
        return;
      }
      try {
        take(call.request);
      } catch (error) {
        answer({ code: status.INVALID_ARGUMENT, details: (error as Error).message });
        return;
      }
      answer(null, Buffer.alloc(0));
    };
  }

  server.addService(exportService('trace.v1.TraceService'), { export: handler((request) => ingest.traces(request)) });
  server.addService(exportService('metrics.v1.MetricsService'), {
    export: handler((request) => ingest.metrics(request)),
  });
  server.addService(exportService('logs.v1.LogsService'), { export: handler((request) => ingest.logs(request)) });

  return {
    async bind(host, port) {
      // gRPC prints an error of its own for a port that is taken.
      const probe = createServer();
      await listenOn(probe, host, port);
      await new Promise((resolve) => probe.close(resolve));
      return new Promise((resolve, reject) => {
        const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
        server.bindAsync(address, ServerCredentials.createInsecure(), (error, bound) => {
          if (error === null) resolve(bound);
          else reject(Object.assign(error, { code: /EADDRINUSE|EACCES/.exec(error.message)?.[0] }));
        });
      });
    },
    close: () => server.forceShutdown(),
  };
}
