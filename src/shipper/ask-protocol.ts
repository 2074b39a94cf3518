import type { ResolvedExport } from '../config/resolved.js';
import { endpointOf } from './endpoint-url.js';
import { probe } from './probe.js';

/**
 * A destination whose protocol nobody has said (`otherwise`), with the one that its port speaks; undefined
 * while nobody listens there. Over TLS a port that offers HTTP/2 may be either: gRPC is taken first.
 */
export async function askProtocol(target: ResolvedExport): Promise<ResolvedExport | undefined> {
  const { otherwise, ...told } = target;
  const endpoint = endpointOf(told);
  if (otherwise === undefined || endpoint === undefined) return told;
  const spoken = await probe(endpoint);
  if (spoken === undefined) return undefined;
  return spoken.http === '1.1' ? { ...told, ...otherwise } : told;
}
