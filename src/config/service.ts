import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { programPath } from '../process/program.js';
import { SERVICE_NAME, SERVICE_VERSION } from '../wire/conventions.js';
import { knownAttributes } from './configured-resource.js';
import type { Environment } from './environment.js';
import type { TracingConfig } from './types.js';

export interface Service {
  name: string;
  version: string | undefined;
}

/** https://opentelemetry.io/docs/specs/semconv/resource/#service, for a name that nobody gave. */
const UNKNOWN_SERVICE = 'unknown_service:node';

/**
 * Name and version: config, then OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, the package.json nearest to the
 * program. (OTEL_SERVICE_NAME goes before OTEL_RESOURCE_ATTRIBUTES: OpenTelemetry specification, "General SDK
 * Configuration")
 */
export function resolveService(
  config: TracingConfig,
  environment: Environment,
  environmentResource: Record<string, string>,
): Service {
  const configured = configuredAttributes(config);
  const name =
    // An empty name counts as not set, wherever it is.
    config.serviceName ||
    configured[SERVICE_NAME] ||
    environment.text('OTEL_SERVICE_NAME') ||
    environmentResource[SERVICE_NAME] ||
    undefined;
  const version = config.serviceVersion ?? configured[SERVICE_VERSION] ?? environmentResource[SERVICE_VERSION];
  if (name !== undefined && version !== undefined) return { name, version };
  const program = nearestPackage(programPath());
  return { name: name ?? program?.name ?? UNKNOWN_SERVICE, version: version ?? program?.version };
}

/** The attributes in `config.resource` that are plain text, whether it is a Resource or an object. */
function configuredAttributes({ resource }: TracingConfig): Record<string, string | undefined> {
  const texts = Object.entries(knownAttributes(resource)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  return Object.fromEntries(texts);
}

function nearestPackage(program: string | undefined): { name?: string; version?: string } | undefined {
  if (!program) return undefined;
  for (let dir = dirname(program), parent = ''; dir !== parent; parent = dir, dir = dirname(dir)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
      // A package.json without a name only says `"type": "module"`.
      if (typeof name === 'string' && name !== '') {
        return { name, version: typeof version === 'string' ? version : undefined };
      }
    } catch {
      // None here, or one that cannot be read: the next directory up.
    }
  }
  return undefined;
}
