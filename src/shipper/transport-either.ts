/**
 * To an endpoint whose protocol nobody has said: it is asked which one it speaks, once it can be reached, and
 * gets that.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';
import { askProtocol } from './ask-protocol.js';
import type { SendResult, Transport } from './transport.js';

type Create = (target: ResolvedExport) => Promise<Transport>;

export function eitherTransport(target: ResolvedExport, create: Create): Transport {
  let chosen: Transport | undefined;
  /** Whether it has taken anything. */
  let proven = false;

  async function send(request: Uint8Array): Promise<SendResult> {
    if (chosen === undefined) {
      const spoken = await askProtocol(target);
      if (spoken === undefined) return { outcome: 'retry', reason: 'nobody listens there', fault: 'no-answer' };
      proven = spoken.to === 'otlp-http';
      chosen = await create(spoken);
    }
    const result = await chosen.send(request);
    if (result.outcome === 'accepted') proven = true;
    if (proven || result.outcome === 'retry') return result;
    // HTTP/2 was spoken, and it was not gRPC: OTLP over HTTP, behind TLS.
    const { otherwise, ...told } = target;
    const other = await create({ ...told, ...otherwise });
    const second = await other.send(request);
    if (second.outcome !== 'accepted') {
      other.close();
      return result;
    }
    chosen.close();
    chosen = other;
    proven = true;
    return second;
  }
  return { send, close: () => chosen?.close() };
}
