import type { ResolvedExport } from '../config/resolved.js';
import { mayChange, watchExport } from '../shipper/fresh-export.js';
import type { Exporter } from './asked-exporter.js';

/**
 * An exporter with the current headers and certificates: when these change, a new exporter replaces it. If a
 * function provides the headers, the first export waits for its answer.
 */
export function freshExporter<Batch, E extends Exporter<Batch>>(
  target: ResolvedExport,
  create: (target: ResolvedExport) => E,
): E {
  const first = create(target);
  if (!mayChange(target)) return first;
  let current: E | undefined;
  let isShutDown = false;
  const waiting: (() => void)[] = [];
  const stop = watchExport(target, (fresh) => {
    // Its shutdown waits for exports that are under way.
    void current?.shutdown().catch(() => {});
    current = create(fresh);
    for (const go of waiting.splice(0)) go();
  });
  return Object.assign(Object.create(first) as E, {
    export(batch: Batch, done: Parameters<E['export']>[1]) {
      const go = () => {
        if (current && !isShutDown) current.export(batch, done);
        else done({ code: 1, error: new Error('export.headers has said nothing that can be sent') });
      };
      if (current || isShutDown) go();
      else waiting.push(go);
    },
    forceFlush: async () => void (await current?.forceFlush?.()),
    shutdown: async () => {
      stop();
      isShutDown = true;
      for (const go of waiting.splice(0)) go();
      await Promise.all([first.shutdown(), current?.shutdown()]);
    },
  });
}
