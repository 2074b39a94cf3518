import { arch, hostname } from 'node:os';
import type { Attributes } from '@opentelemetry/api';
import { defaultResource, processDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  ATTR_TELEMETRY_DISTRO_NAME,
  ATTR_TELEMETRY_DISTRO_VERSION,
} from '@opentelemetry/semantic-conventions';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';
import { version } from '../version.js';

/**
 * The resource of one incarnation; later sources win: the SDK's defaults, the process and host, OTEL_RESOURCE_ATTRIBUTES,
 * the identity, the service's name and version, `resource` in the config.
 *
 * `service.instance.id` in the environment names the thing that was started (a pod, say), so every worker of a cluster has
 * the same: there the identity wins. A process in no slot is that thing, and keeps it.
 */
export function createResource(config: ResolvedConfig, identity: WorkerIdentity): Resource {
  const own: Attributes = {
    'cluster.worker.slot': identity.slot,
    'cluster.worker.id': identity.workerId,
    'cluster.worker.incarnation': identity.manager === 'none' ? undefined : identity.incarnation,
    'cluster.manager': identity.manager,
    [ATTR_SERVICE_INSTANCE_ID]: identity.instanceId,
  };
  const fromEnvironment = config.environmentResource;
  if (identity.manager === 'none' && fromEnvironment[ATTR_SERVICE_INSTANCE_ID] !== undefined) {
    own[ATTR_SERVICE_INSTANCE_ID] = fromEnvironment[ATTR_SERVICE_INSTANCE_ID];
  }
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        'host.name': hostname(),
        'host.arch': arch() === 'x64' ? 'amd64' : arch(),
        [ATTR_TELEMETRY_DISTRO_NAME]: 'forktrace',
        [ATTR_TELEMETRY_DISTRO_VERSION]: version,
      }),
    )
    .merge(resourceFromAttributes(processDetector.detect().attributes as Attributes))
    .merge(resourceFromAttributes(fromEnvironment))
    .merge(resourceFromAttributes(defined(own)))
    .merge(
      resourceFromAttributes(
        defined({ [ATTR_SERVICE_NAME]: config.serviceName, [ATTR_SERVICE_VERSION]: config.serviceVersion }),
      ),
    );
  if (config.resource === undefined) return resource;
  return resource.merge(isResource(config.resource) ? config.resource : resourceFromAttributes(config.resource));
}

function isResource(value: Attributes | Resource): value is Resource {
  return typeof (value as Resource).merge === 'function';
}

function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
