import { createRequire } from 'node:module';
import { arch, hostname, userInfo } from 'node:os';
import type { Attributes } from '@opentelemetry/api';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';
import { redactArguments } from '../http/secret-name.js';
import type { Resource } from '../sdk/types.js';
import { version } from '../version.js';

const INSTANCE_ID = 'service.instance.id';

/**
 * The resource of one incarnation, as attributes; later sources win: the SDK's defaults, the process and host,
 * OTEL_RESOURCE_ATTRIBUTES, the identity, the service's name and version, `resource` in the config.
 *
 * `service.instance.id` in the environment names the thing that was started (a pod, say), so every worker of a cluster has
 * the same: there the identity wins. A process in no slot is that thing, and keeps it.
 */
export function resourceAttributes(config: ResolvedConfig, identity: WorkerIdentity): Attributes {
  const { environmentResource, resource } = config;
  const isSlot = identity.manager !== 'none';
  return defined({
    ...sdkAttributes,
    ...processAttributes(),
    ...environmentResource,
    'cluster.worker.slot': identity.slot,
    'cluster.worker.id': identity.workerId,
    'cluster.worker.incarnation': isSlot ? identity.incarnation : undefined,
    'cluster.manager': identity.manager,
    [INSTANCE_ID]: (isSlot ? undefined : environmentResource[INSTANCE_ID]) ?? identity.instanceId,
    'service.name': config.serviceName,
    'service.version': config.serviceVersion,
    ...(isResource(resource) ? resource.attributes : resource),
  });
}

/** {@link resourceAttributes} as the SDK has them, for those who ask for the object: loading it takes 8 MB. */
export function createResource(config: ResolvedConfig, attributes: Attributes): Resource {
  const { resourceFromAttributes } = createRequire(import.meta.url)(
    '../sdk/resources.js',
  ) as typeof import('../sdk/resources.js');
  const resource = resourceFromAttributes(attributes);
  // What the user's has besides its attributes: a schema, and attributes that are still on their way.
  return isResource(config.resource) ? resource.merge(config.resource) : resource;
}

/** Semantic conventions, "Telemetry SDK", as `defaultResource()` has them. */
const sdkAttributes: Attributes = {
  'telemetry.sdk.language': 'nodejs',
  'telemetry.sdk.name': 'opentelemetry',
  'telemetry.sdk.version': '2.12.0',
  'telemetry.distro.name': 'forktrace',
  'telemetry.distro.version': version,
};

/** Semantic conventions, "Process", as the SDK's `processDetector` finds them, and the host. */
function processAttributes(): Attributes {
  const { argv } = process;
  return {
    'host.name': hostname(),
    'host.arch': arch() === 'x64' ? 'amd64' : arch(),
    'process.pid': process.pid,
    'process.executable.name': process.title,
    'process.executable.path': process.execPath,
    'process.command_args': redactArguments([argv[0]!, ...process.execArgv, ...argv.slice(1)]),
    'process.runtime.version': process.versions.node,
    'process.runtime.name': 'nodejs',
    'process.runtime.description': 'Node.js',
    'process.command': argv[1],
    'process.owner': userName(),
  };
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A user id without a name: usual in containers.
    return undefined;
  }
}

function isResource(value: Attributes | Resource | undefined): value is Resource {
  return typeof value?.merge === 'function';
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
