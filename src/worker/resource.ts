import { createRequire } from 'node:module';
import { isMainThread, threadId } from 'node:worker_threads';
import type { Attributes } from '@opentelemetry/api';
import { awaitedAttributes, isResource, knownAttributes } from '../config/index.js';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';
import { version } from '../own-files.js';
import type { Resource } from '../sdk/types.js';
import {
  CLUSTER_MANAGER,
  CLUSTER_WORKER_ID,
  CLUSTER_WORKER_INCARNATION,
  CLUSTER_WORKER_SLOT,
  SERVICE_INSTANCE_ID,
  SERVICE_NAME,
  SERVICE_VERSION,
  TELEMETRY_DISTRO_NAME,
  TELEMETRY_DISTRO_VERSION,
  TELEMETRY_SDK_LANGUAGE,
  TELEMETRY_SDK_NAME,
  TELEMETRY_SDK_VERSION,
  THREAD_ID,
} from '../wire/conventions.js';
import { detectedAttributes, isEnvironmentWanted } from './resource-detectors.js';

const require = createRequire(import.meta.url);

/**
 * The resource attributes of one incarnation. Later sources win: the SDK's defaults, the process and host,
 * OTEL_RESOURCE_ATTRIBUTES, the identity, the service's name and version, `resource` in the config.
 *
 * `service.instance.id` in the environment names what was started, for example a pod, so that all workers of
 * a cluster would have the same: the identity wins there, and in worker threads. The main thread of a process
 * in no slot keeps the id from the environment.
 */
export function resourceAttributes(config: ResolvedConfig, identity: WorkerIdentity): Attributes {
  const { environmentResource, resource } = config;
  const isSlot = identity.manager !== 'none';
  const isNamed = !isSlot && isMainThread;
  const configured = knownAttributes(resource);
  return defined({
    ...sdkAttributes,
    ...detectedAttributes(),
    ...(isEnvironmentWanted() ? environmentResource : {}),
    [THREAD_ID]: isMainThread ? undefined : threadId,
    [CLUSTER_WORKER_SLOT]: identity.slot,
    [CLUSTER_WORKER_ID]: identity.workerId,
    [CLUSTER_WORKER_INCARNATION]: isSlot ? identity.incarnation : undefined,
    [CLUSTER_MANAGER]: identity.manager,
    [SERVICE_INSTANCE_ID]: (isNamed ? environmentResource[SERVICE_INSTANCE_ID] : undefined) ?? identity.instanceId,
    [SERVICE_VERSION]: config.serviceVersion,
    ...configured,
    // An empty name counts as not set.
    [SERVICE_NAME]: configured[SERVICE_NAME] || config.serviceName,
  });
}

/**
 * {@link resourceAttributes} as an object of the SDK, for code that needs the object. Loading the SDK's class
 * takes 8 MB.
 */
export function createResource(config: ResolvedConfig, attributes: Attributes): Resource {
  const { resourceFromAttributes } = require('../sdk/resources.js') as typeof import('../sdk/resources.js');
  const known = resourceFromAttributes(attributes);
  const { resource } = config;
  if (!isResource(resource)) return known;
  // A resource of the user's may also have a schema, and attributes that are promises.
  const awaited = awaitedAttributes(resource);
  // An empty name counts as not set, also when it comes late.
  if (SERVICE_NAME in awaited) awaited[SERVICE_NAME] = awaited[SERVICE_NAME]!.then((name) => name || undefined);
  return known.merge(resourceFromAttributes(awaited as never, { schemaUrl: resource.schemaUrl }));
}

/** Attributes of the semantic conventions, "Telemetry SDK", as in `defaultResource()`. */
const sdkAttributes: Attributes = {
  [TELEMETRY_SDK_LANGUAGE]: 'nodejs',
  [TELEMETRY_SDK_NAME]: 'opentelemetry',
  [TELEMETRY_SDK_VERSION]: '2.12.0',
  [TELEMETRY_DISTRO_NAME]: 'forktrace',
  [TELEMETRY_DISTRO_VERSION]: version,
};

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
