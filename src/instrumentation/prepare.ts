/**
 * The instrumentations of one process: those that the user gives, those that are found, and those of outgoing
 * requests; each once.
 *
 * @module
 */
import type { TracerProvider } from '@opentelemetry/api';
import type { ResolvedConfig } from '../config/resolved.js';
import { enableAutomatically } from './automatic.js';
import { patchBuiltins } from './builtins.js';
import { type Automatic, enabledAutomatically, hasYielded, leaveToTheApp, yieldInstrumentation } from './enabled.js';
import { disableQuietly, type Instrumentation, type Instrumentations } from './instrumentation.js';
import { loadedPackages, warnOfLoaded } from './loaded-before.js';
import { hookLoader } from './loader-hooks.js';
import { outgoingInstrumentations } from './outgoing.js';

/**
 * Before anything of the app is loaded, and before tracing is built, so that what is loaded for that does not
 * count as the app's.
 *
 * @throws ForktraceError with code FORKTRACE_INSTRUMENTATION_VERSION
 */
export function prepareInstrumentations({ instrumentations: wanted, outgoing }: ResolvedConfig): Instrumentations {
  const automatic = automaticOf(wanted);
  const all: Instrumentation[] = [];
  return {
    description: automatic?.description,
    start({ tracerProvider, meterProvider }) {
      const given: Instrumentation[] = typeof wanted === 'function' ? [...wanted()] : [];
      const names = new Set(given.map(({ instrumentationName }) => instrumentationName));
      for (const one of automatic?.instrumentations ?? []) {
        if (hasYielded(one)) continue;
        if (!names.has(one.instrumentationName)) all.push(one);
        // The user's own has their options.
        else disableQuietly(one);
        names.add(one.instrumentationName);
      }
      const ofOutgoing = outgoing ? outgoingInstrumentations(names) : [];
      const own = [...given, ...ofOutgoing];
      const early = loadedPackages(own);
      all.push(...own);
      for (const instrumentation of all) {
        instrumentation.setTracerProvider(tracerProvider);
        if (meterProvider) instrumentation.setMeterProvider(meterProvider);
        instrumentation.enable();
      }
      hookLoader(own);
      patchBuiltins(own);
      warnOfLoaded(early);
      if (automatic === undefined && ofOutgoing.length === 0) return;
      leaveToTheApp(ofOutgoing);
      yieldWhereAsked(tracerProvider);
    },
    stop() {
      for (const instrumentation of all) if (!hasYielded(instrumentation)) disableQuietly(instrumentation);
    },
  };
}

/** An instrumentation asks for its tracer when it is made. */
function yieldWhereAsked(provider: TracerProvider): void {
  const { getTracer } = provider;
  provider.getTracer = (name, ...rest) => {
    yieldInstrumentation(name);
    return getTracer.call(provider, name, ...rest);
  };
}

/** A preload has enabled them before it knew the options. */
function automaticOf(wanted: ResolvedConfig['instrumentations']): Automatic | undefined {
  if (wanted === 'auto') return enableAutomatically();
  const enabled = enabledAutomatically();
  if (wanted !== 'none') return enabled;
  for (const one of enabled?.instrumentations ?? []) if (!hasYielded(one)) disableQuietly(one);
  return undefined;
}
