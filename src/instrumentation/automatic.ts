/**
 * `instrumentations: 'auto'`: what the app has installed is found and enabled, without code.
 *
 * @module
 */
import { patchBuiltins } from './builtins.js';
import { construct, constructAll } from './construct.js';
import { type Automatic, enabledAutomatically, setEnabledAutomatically } from './enabled.js';
import { checkVersions } from './fitting-versions.js';
import { FoundTracer } from './found-tracer.js';
import { appDirectory, installedInstrumentations, META_PACKAGE, PREFIX } from './installed.js';
import type { Instrumentation } from './instrumentation.js';
import { loadedPackages, warnOfLoaded } from './loaded-before.js';
import { hookLoader } from './loader-hooks.js';
import type { Package } from './package-manifest.js';
import { isSelected, warnOfUnknownNames } from './selection.js';

/**
 * Once per process. They have no provider yet: their spans are the registered provider's until they are given
 * one.
 *
 * @throws ForktraceError with code FORKTRACE_INSTRUMENTATION_VERSION for a version that cannot work here
 */
export function enableAutomatically(installed?: readonly Package[]): Automatic {
  return (
    enabledAutomatically() ?? setEnabledAutomatically(enable(installed ?? installedInstrumentations(appDirectory())))
  );
}

function enable(installed: readonly Package[]): Automatic {
  const meta = installed.find(({ name }) => name === META_PACKAGE);
  const selected = meta ? [meta] : installed.filter(({ name }) => isSelected(name));
  for (const one of selected) checkVersions(one);
  const instrumentations = meta
    ? constructAll(meta)
    : selected.map(construct).filter((one): one is Instrumentation => one !== undefined);
  warnOfUnknownNames(meta ? instrumentations.map((one) => one.instrumentationName) : installed.map(({ name }) => name));
  for (const one of instrumentations) {
    const { tracer } = one;
    if (tracer !== undefined) one.setTracerProvider({ getTracer: () => new FoundTracer(tracer) });
  }
  const early = loadedPackages(instrumentations);
  hookLoader(instrumentations);
  patchBuiltins(instrumentations);
  warnOfLoaded(early);
  return { instrumentations, description: describe(instrumentations, meta) };
}

function describe(instrumentations: readonly Instrumentation[], meta: Package | undefined): string {
  if (instrumentations.length === 0) return 'no instrumentations are installed; incoming HTTP is traced';
  const of = meta ? ` of ${META_PACKAGE} ${meta.version}` : '';
  const names = instrumentations.map(({ instrumentationName, instrumentationVersion = '' }) => {
    const short = instrumentationName.startsWith(PREFIX)
      ? instrumentationName.slice(PREFIX.length)
      : instrumentationName;
    return meta ? short : `${short} ${instrumentationVersion}`.trim();
  });
  const count = instrumentations.length === 1 ? '1 instrumentation' : `${instrumentations.length} instrumentations`;
  return `${count}${of}: ${names.join(', ')}`;
}
