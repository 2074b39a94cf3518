import { createContextKey, type Span } from '@opentelemetry/api';

/**
 * Where the official framework instrumentations find the SERVER span's route (`@opentelemetry/core`,
 * `setRPCMetadata`).
 */
export const RPC_METADATA_KEY = createContextKey('OpenTelemetry SDK Context Key RPC_METADATA');

export interface RpcMetadata {
  type: 'http';
  span: Span;
  route?: string;
}
