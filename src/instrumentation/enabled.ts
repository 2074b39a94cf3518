import { isBuiltin } from 'node:module';
import { PREFIX } from './installed.js';
import { disableQuietly, type Instrumentation } from './instrumentation.js';

/** The instrumentations that were found and enabled. */
export interface Automatic {
  readonly instrumentations: readonly Instrumentation[];
  /** Which they are, in one line. */
  readonly description: string;
}

let automatic: Automatic | undefined;

/** What this process has enabled without being told one by one; undefined while it has not looked. */
export function enabledAutomatically(): Automatic | undefined {
  return automatic;
}

/** Those that have been disabled again for one of the app's, or for another SDK's. */
const yielded = new WeakSet<Instrumentation>();

export function hasYielded(instrumentation: Instrumentation): boolean {
  return yielded.has(instrumentation);
}

const found = { asking: false };
/** All that were found, those of outgoing requests included, and are not the app's own; and their names. */
let standing: readonly Instrumentation[] = [];
let names: ReadonlySet<string> = new Set();

const askedByApp = new Set<string>();

/** Whether the app has made an instrumentation of this name before there was one to leave for it. */
export function hasOwn(name: string): boolean {
  return askedByApp.has(name);
}

/** From now on each of them leaves when the app makes one of its own. */
export function leaveToTheApp(instrumentations: readonly Instrumentation[]): void {
  standing = [...standing, ...instrumentations];
  names = new Set([...names, ...instrumentations.map(({ instrumentationName }) => instrumentationName)]);
}

/** What one of those that were found asks for. */
export function askedByUs<T>(ask: () => T): T {
  const before = found.asking;
  found.asking = true;
  try {
    return ask();
  } finally {
    found.asking = before;
  }
}

/**
 * Somebody else asks for a tracer by this name. Where it is that of an instrumentation which was found, the
 * app has one of its own, with its own options: two of them would make each span twice, and would send
 * `traceparent` twice, which nobody can read then.
 *
 * @param name undefined: all of them, for another SDK enables its own
 */
export function yieldInstrumentation(name?: string): void {
  // An app may ask for its tracer in each request.
  if (found.asking) return;
  if (name?.startsWith(PREFIX)) askedByApp.add(name);
  if (standing.length === 0 || (name !== undefined && !names.has(name))) return;
  const [leaving, staying] = [[], []] as [Instrumentation[], Instrumentation[]];
  for (const one of standing) {
    const isMeant = name === undefined || one.instrumentationName === name;
    (isMeant && !hasPatchedPackage(one) ? leaving : staying).push(one);
  }
  if (leaving.length === 0) return;
  standing = staying;
  for (const one of leaving) {
    yielded.add(one);
    disableQuietly(one);
  }
}

/**
 * What is loaded already, only ours has seen: the other one would never patch it. A builtin can be had again.
 */
function hasPatchedPackage({ _modules = [] }: Instrumentation): boolean {
  return _modules.some(
    ({ name, moduleExports, files = [] }) =>
      !isBuiltin(name) &&
      [moduleExports, ...files.map((file) => file.moduleExports)].some((each) => each !== undefined),
  );
}

export function setEnabledAutomatically(enabled: Automatic): Automatic {
  automatic = enabled;
  leaveToTheApp(enabled.instrumentations);
  return enabled;
}
