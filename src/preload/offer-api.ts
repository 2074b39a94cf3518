/**
 * An app that calls the API before tracing starts gets it as one file, too (src/api.cts): its 44 files are a
 * third of what a short tool takes.
 *
 * Node.js looks into `require.cache` before it loads a file. There the API's file is, until it is read, a
 * property that loads our bundle. The path is a guess, as to resolve it would cost each process that never
 * calls the API; one that is wrong is never read.
 *
 * @module
 */
import { sep } from 'node:path';

const ENTRY = ['node_modules', '@opentelemetry', 'api', 'build', 'src', 'index.js'];
const above = (directory: string) => directory.slice(0, directory.lastIndexOf(sep));

/**
 * @param cache `require.cache`
 * @param dist where our files are, without a separator at its end
 * @param load puts the API into the cache, or does nothing
 */
export function offerApi(cache: NodeJS.Require['cache'], dist: string, load: () => void): void {
  const own = above(dist);
  // In our own folder, or beside us: `node_modules/forktrace` and `node_modules/@opentelemetry`.
  for (const directory of [own, above(above(own))]) {
    const file = [directory, ...ENTRY].join(sep);
    if (file in cache) continue;
    const settle = (module?: NodeJS.Module) => {
      delete cache[file];
      if (module !== undefined) cache[file] = module;
    };
    Object.defineProperty(cache, file, {
      configurable: true,
      get() {
        settle();
        load();
        return cache[file];
      },
      set: settle,
    });
  }
}
