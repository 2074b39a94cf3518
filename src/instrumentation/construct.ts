import { createRequire } from 'node:module';
import { join } from 'node:path';
import { warn } from '../warn.js';
import type { Instrumentation } from './instrumentation.js';
import type { Package } from './package-manifest.js';

type Constructor = new (config?: object) => Instrumentation;

const HTTP = '@opentelemetry/instrumentation-http';

/** Incoming requests are forktrace's: `http` is instrumented for outgoing ones alone. */
const CONFIGS: Record<string, object> = { [HTTP]: { disableIncomingRequestInstrumentation: true } };

/**
 * The instrumentation of a package, constructed and thereby enabled; undefined, and said, where that fails.
 */
export function construct({ name, version, dir }: Package): Instrumentation | undefined {
  return attempt(`${name} ${version}`, () => {
    const exported = createRequire(join(dir, 'package.json'))(dir) as Record<string, unknown>;
    const found = Object.entries(exported).find(
      ([key, value]) => key.endsWith('Instrumentation') && isConstructor(value),
    );
    if (found === undefined) throw new Error('it exports no class whose name ends in Instrumentation');
    return new (found[1] as Constructor)(CONFIGS[name]);
  });
}

/** The instrumentations that the meta package means; it reads the variables that select them itself. */
export function constructAll({ name, version, dir }: Package): Instrumentation[] {
  const constructed = attempt(`${name} ${version}`, () => {
    const { getNodeAutoInstrumentations } = createRequire(join(dir, 'package.json'))(dir) as {
      getNodeAutoInstrumentations(configs: object): Instrumentation[];
    };
    return getNodeAutoInstrumentations(CONFIGS);
  });
  return constructed ?? [];
}

function isConstructor(value: unknown): value is Constructor {
  return typeof value === 'function' && typeof value.prototype?.enable === 'function';
}

function attempt<T>(what: string, make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    warn('FORKTRACE_INSTRUMENTATION_FAILED', `${what} could not be enabled: ${(error as Error).message}`);
    return undefined;
  }
}
