import { fileURLToPath } from 'node:url';

/**
 * Where every copy of the OpenTelemetry API 1.x in a process finds what is registered: its own source,
 * `global-utils`.
 */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

type Global = { [REGISTRY]?: { trace?: unknown } };

/** Whether an SDK has registered a tracer provider. */
export function isProviderRegistered(): boolean {
  return (globalThis as Global)[REGISTRY]?.trace !== undefined;
}

/** Of copies that are packages of their own; a bundler puts one into another file. */
const IN_PACKAGE = /[\\/]@opentelemetry[\\/]api[\\/]/;
/** Where forktrace's own code is, which looks at the registry, too. */
const OWN = new URL('..', import.meta.url);
const OWN_FILES = [OWN.href, fileURLToPath(OWN)];
/** Reads that are looked at before anything is registered: each costs a microsecond or two. */
const MOST_READS = 10_000;

export interface ApiUse {
  /** Before the first use of any copy. */
  first(): void;
  /** Before a use that no stand-in can serve. */
  unserved(): void;
}

/**
 * Tells of the first use of the API: at once where something is registered already. The API is sixty files,
 * which a process that never calls it need not load: each of its calls reads the registry first.
 */
export function beforeApiUse({ first, unserved }: ApiUse): void {
  if (REGISTRY in globalThis) {
    first();
    return;
  }
  const global = globalThis as Global;
  let reads = 0;
  const settle = () => delete global[REGISTRY];
  const get = () => {
    const sites = callersOf(get);
    if (reads++ === 0) first();
    if (reads > MOST_READS) settle();
    if (!isUnserved(sites)) return undefined;
    settle();
    unserved();
    return global[REGISTRY];
  };
  Object.defineProperty(global, REGISTRY, {
    configurable: true,
    get,
    set(registry: object) {
      settle();
      if (reads++ === 0) first();
      global[REGISTRY] = registry;
    },
  });
}

/**
 * A stand-in gives tracers. It is in the copies that are packages of their own, which can be found, and
 * carries no context: a job whose parent is in its message extracts that before it starts its first span.
 */
function isUnserved([reader, use, call]: NodeJS.CallSite[]): boolean {
  const name = use?.getFunctionName();
  const carries = name === '_getContextManager' && /^(with|bind)$/.test(call?.getFunctionName() ?? '');
  // Whoever registers is about to set it.
  const isInBundle = reader?.getFunctionName() !== 'registerGlobal' && isForeign(reader?.getFileName());
  return isInBundle || carries || name === '_getGlobalPropagator';
}

function isForeign(file: string | null | undefined): boolean {
  return (
    typeof file === 'string' &&
    !file.startsWith('node:') &&
    !IN_PACKAGE.test(file) &&
    !OWN_FILES.some((own) => file.startsWith(own))
  );
}

/**
 * The three innermost calls that led to one of `called`; by the files that are run, not those that source
 * maps name.
 */
function callersOf(called: () => unknown): NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 3;
    Error.prepareStackTrace = (_, sites) => sites;
    try {
      const holder: { stack?: unknown } = {};
      Error.captureStackTrace(holder, called);
      return holder.stack as NodeJS.CallSite[];
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
      Error.stackTraceLimit = stackTraceLimit;
    }
  } catch {
    // Intrinsics are frozen.
    return [];
  }
}
