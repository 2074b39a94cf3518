import { createRequire, syncBuiltinESMExports } from 'node:module';
import type { InstrumentationLike } from '../config/types.js';
import { warn } from '../warn.js';

type Instrumentation = new (config?: object) => InstrumentationLike;

/**
 * The official instrumentations of `fetch` (undici) and of outgoing `http`, those that are installed. Incoming requests are
 * left to forktrace.
 */
export function outgoingInstrumentations(): InstrumentationLike[] {
  const undici = load('@opentelemetry/instrumentation-undici', 'UndiciInstrumentation');
  const http = load('@opentelemetry/instrumentation-http', 'HttpInstrumentation');
  const instrumentations: InstrumentationLike[] = [];
  if (undici) instrumentations.push(new undici());
  if (http) instrumentations.push(new http({ disableIncomingRequestInstrumentation: true }));
  return instrumentations;
}

/** After they are enabled: they patch when `http` is required, and ES modules have bindings of their own. */
export function patchLoadedHttp(): void {
  const require = createRequire(import.meta.url);
  require('node:http');
  require('node:https');
  syncBuiltinESMExports();
}

/** From where the app is, too: with some package managers forktrace cannot see what the app has installed. */
function load(name: string, export_: string): Instrumentation | undefined {
  for (const from of [import.meta.url, `${process.cwd()}/package.json`]) {
    try {
      return createRequire(from)(name)[export_];
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  warn('FORKTRACE_OUTGOING_MISSING', `Option outgoing needs the package ${name}, which is not installed.`);
  return undefined;
}
