import type { ResolvedExport } from '../config/resolved.js';
import { askProtocol } from '../shipper/ask-protocol.js';

/** The methods that span and metric exporters share. */
export interface Exporter<Batch> {
  export(batch: Batch, done: (result: { code: number; error?: Error }) => void): void;
  forceFlush?(): Promise<void>;
  shutdown(): Promise<void>;
}

/**
 * An exporter to an endpoint whose protocol is not configured. It waits until a server listens on the port,
 * asks which protocol the server speaks, and uses the exporter for that.
 *
 * @param guess the exporter for the likelier protocol, which also handles everything but exports
 */
export function askedExporter<Batch, E extends Exporter<Batch>>(
  target: ResolvedExport,
  guess: E,
  create: (target: ResolvedExport) => E,
): E {
  let chosen: E | undefined;
  const choose = async () => {
    if (chosen !== undefined) return chosen;
    const spoken = await askProtocol(target);
    if (spoken === undefined) return guess;
    chosen ??= spoken.to === target.to ? guess : create(spoken);
    return chosen;
  };
  return Object.assign(Object.create(guess) as E, {
    export(batch: Batch, done: Parameters<E['export']>[1]) {
      choose().then(
        (exporter) => exporter.export(batch, done),
        (error) => done({ code: 1, error }),
      );
    },
    forceFlush: async () => void (await (chosen ?? guess).forceFlush?.()),
    shutdown: async () => {
      await Promise.all([guess.shutdown(), chosen === guess ? undefined : chosen?.shutdown()]);
    },
  });
}
