import { fileURLToPath } from 'node:url';

/**
 * Where every copy of the OpenTelemetry API 1.x in a process finds what is registered. The name is from the
 * API's source, `global-utils`.
 */
const REGISTRY = Symbol.for('opentelemetry.js.api.1');

type Global = { [REGISTRY]?: { trace?: unknown } };

/** Whether an SDK has registered a tracer provider. */
export function isProviderRegistered(): boolean {
  return (globalThis as Global)[REGISTRY]?.trace !== undefined;
}

/** Files of a copy of the API that is a package of its own. A bundler puts a copy into another file. */
const IN_PACKAGE = /[\\/]@opentelemetry[\\/]api[\\/]/;
/** The folder of forktrace's own code, which reads the registry, too. */
const OWN = new URL('..', import.meta.url);
const OWN_FILES = [OWN.href, fileURLToPath(OWN)];
/** How many reads are examined before anything is registered. Each examination costs a microsecond or two. */
const MOST_READS = 10_000;

export interface ApiUse {
  /** Called before the first use of any copy. */
  first(): void;
  /** Whether a stand-in is in the copy of the API that a file is of; asked after `first`. */
  serves(file: string): boolean;
  /** Called before a use that no stand-in can serve. */
  unserved(): void;
}

/**
 * Watches for the first use of the API; reports it at once where something is registered already. Every call
 * of the API reads the registry first. The API itself is sixty files, which a process that never calls it
 * need not load.
 */
export function beforeApiUse({ first, serves, unserved }: ApiUse): void {
  if (REGISTRY in globalThis) {
    first();
    return;
  }
  const global = globalThis as Global;
  let reads = 0;
  let isStanding = false;
  const settle = () => delete global[REGISTRY];
  const get = () => {
    const sites = callersOf(get);
    if (reads++ === 0) {
      first();
      isStanding = true;
    }
    if (reads > MOST_READS) settle();
    const reader = sites[0]?.getFileName();
    const isInReach = !isStanding || typeof reader !== 'string' || !IN_PACKAGE.test(reader) || serves(reader);
    // Where intrinsics are frozen, nobody knows who reads.
    if (isInReach && !isUnserved(sites) && sites.length > 0) return undefined;
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
 * Whether a stand-in cannot serve this use. Stand-ins are put into the copies that are packages of their own,
 * because only these can be found. They give tracers, but carry no context: a job that gets its parent in a
 * message extracts the context before it starts its first span.
 */
function isUnserved([reader, use, call]: NodeJS.CallSite[]): boolean {
  const name = use?.getFunctionName();
  const carries = name === '_getContextManager' && /^(with|bind)$/.test(call?.getFunctionName() ?? '');
  // `registerGlobal` reads the registry just before it sets it.
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
 * The three innermost calls that led to one of `called`, with the names of the files that run, not those from
 * source maps. None where intrinsics are frozen.
 */
function callersOf(called: () => unknown): NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = 3;
    Error.prepareStackTrace = (_, sites) => sites;
    try {
      const holder: { stack?: unknown } = {};
      Error.captureStackTrace(holder, called);
      return Array.isArray(holder.stack) ? holder.stack : [];
    } finally {
      Error.prepareStackTrace = prepareStackTrace;
      Error.stackTraceLimit = stackTraceLimit;
    }
  } catch {
    return [];
  }
}
