import { ForktraceError } from '../errors.js';
import { META_PACKAGE } from './installed.js';
import { type Package, packageFrom } from './package-manifest.js';
import { isInRange } from './version-range.js';

const API = '@opentelemetry/api';
const BASE = '@opentelemetry/instrumentation';

/** The last of the line that runs on Node.js 20 and on version 1.9 of the API. */
const OLDER_LINE = { [META_PACKAGE]: '0.81', [BASE]: '0.223' };

/**
 * Instrumentations of 0.300 and later need version 1.10 of the API and Node.js 22.15: with less they fail when they are first used,
 * some after the app listens.
 *
 * @throws ForktraceError with code FORKTRACE_INSTRUMENTATION_VERSION
 */
export function checkVersions(instrumentation: Package, node: string = process.versions.node): void {
  const base = packageFrom(instrumentation.dir, BASE);
  const api = packageFrom(base?.dir ?? instrumentation.dir, API);
  for (const one of [instrumentation, base]) {
    if (one === undefined) continue;
    const found = `${one.name} ${one.version}`;
    const nodeRange = one.engines.node;
    if (nodeRange !== undefined && !isInRange(node, nodeRange)) {
      throw unfit(found, `Node.js ${nodeRange}`, `Node.js ${node}`, olderLine(instrumentation));
    }
    const apiRange = one.peerDependencies[API];
    if (api !== undefined && apiRange !== undefined && !isInRange(api.version, apiRange)) {
      // npm takes a version in words of its own: what the range begins with is the least that fits.
      const least = /\d+\.\d+/.exec(apiRange)![0];
      throw unfit(found, `${API} ${apiRange}`, `${API} ${api.version}`, `npm install ${API}@${least}`);
    }
  }
}

function unfit(what: string, needs: string, found: string, command: string): ForktraceError {
  return new ForktraceError('FORKTRACE_INSTRUMENTATION_VERSION', [what, needs, found, command]);
}

function olderLine({ name }: Package): string {
  const [line = BASE, version] =
    Object.entries(OLDER_LINE).find(([one]) => one === name) ?? Object.entries(OLDER_LINE)[1]!;
  return line === name
    ? `npm install ${name}@${version}`
    : `npm install ${name} in a version made for ${line}@${version}`;
}
