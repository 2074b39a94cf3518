import { ForktraceError } from '../errors.js';
import { META_PACKAGE } from './installed.js';
import { type Package, packageFrom } from './package-manifest.js';
import { isInRange } from './version-range.js';

const API = '@opentelemetry/api';
const BASE = '@opentelemetry/instrumentation';

/**
 * The last version whose instrumentations run on Node.js 20; where it is installed they are used, and no
 * others.
 */
const FOR_OLDER_NODE = `npm install ${META_PACKAGE}@0.81`;

/**
 * Instrumentations of 0.300 and later need version 1.10 of the API and Node.js 22.15: with less they fail
 * when they are first used, some after the app listens.
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
      throw unfit(found, `Node.js ${nodeRange}`, `Node.js ${node}`, FOR_OLDER_NODE);
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
