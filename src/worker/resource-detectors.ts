/**
 * Resource attributes of the process, its host and its container that can be found without waiting. Detectors
 * have the names of `OTEL_NODE_RESOURCE_DETECTORS`; attributes have the names and values of
 * `@opentelemetry/resources` and `@opentelemetry/resource-detector-container`.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { arch, hostname, platform, release, userInfo } from 'node:os';
import type { Attributes } from '@opentelemetry/api';
import { redactArguments } from '../secret-name.js';
import { warn } from '../warn.js';
import {
  CONTAINER_ID,
  HOST_ARCH,
  HOST_ID,
  HOST_NAME,
  OS_TYPE,
  OS_VERSION,
  PROCESS_COMMAND,
  PROCESS_COMMAND_ARGS,
  PROCESS_EXECUTABLE_NAME,
  PROCESS_EXECUTABLE_PATH,
  PROCESS_OWNER,
  PROCESS_PID,
  PROCESS_RUNTIME_DESCRIPTION,
  PROCESS_RUNTIME_NAME,
  PROCESS_RUNTIME_VERSION,
} from '../wire/conventions.js';

const VARIABLE = 'OTEL_NODE_RESOURCE_DETECTORS';

/**
 * `env` and `serviceinstance` are handled with the service's attributes. A worker always has its identity.
 */
const detectors: Record<string, () => Attributes> = {
  container: () => ({ [CONTAINER_ID]: containerId() }),
  host: () => ({ [HOST_NAME]: hostname(), [HOST_ARCH]: arch() === 'x64' ? 'amd64' : arch(), [HOST_ID]: hostId() }),
  os: () => ({ [OS_TYPE]: OS_TYPES[platform()] ?? platform(), [OS_VERSION]: release() }),
  process: processAttributes,
  env: () => ({}),
  serviceinstance: () => ({}),
};

/** Detectors of clouds. They ask a service of the cloud, which takes seconds where there is none. */
const OF_CLOUDS = ['alibaba', 'aws', 'azure', 'gcp'];

const OS_TYPES: Partial<Record<NodeJS.Platform, string>> = { sunos: 'solaris', win32: 'windows' };

/** @returns the attributes; an attribute that was not found is undefined */
export function detectedAttributes(env: NodeJS.ProcessEnv = process.env): Attributes {
  return Object.assign({}, ...wantedDetectors(env).map((name) => detectors[name]?.()));
}

/** Whether the attributes of OTEL_RESOURCE_ATTRIBUTES are wanted. */
export function isEnvironmentWanted(env: NodeJS.ProcessEnv = process.env): boolean {
  return wantedDetectors(env).includes('env');
}

function wantedDetectors({ [VARIABLE]: text = '' }: NodeJS.ProcessEnv): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.length === 0 || names.includes('all')) return Object.keys(detectors);
  return names.includes('none') ? [] : names;
}

/** Warns of detectors that are asked for by a name that forktrace does not know. */
export function warnOfUnknownDetectors(env: NodeJS.ProcessEnv = process.env): void {
  const unknown = wantedDetectors(env).filter((name) => !(name in detectors));
  if (unknown.length === 0) return;
  const ofClouds = unknown.some((name) => OF_CLOUDS.includes(name));
  const hint = ofClouds
    ? " A cloud's attributes are added by a Collector (resourcedetection), or by option resource."
    : '';
  warn(
    'FORKTRACE_ENV_IGNORED',
    `Environment variable ${VARIABLE}: got ${unknown.join(', ')}, expected all, none or some of ${Object.keys(detectors).join(', ')}. It is ignored.${hint}`,
  );
}

/** Attributes of the semantic conventions, "Process", as the SDK's `processDetector` finds them. */
function processAttributes(): Attributes {
  const { argv } = process;
  return {
    [PROCESS_PID]: process.pid,
    [PROCESS_EXECUTABLE_NAME]: process.title,
    [PROCESS_EXECUTABLE_PATH]: process.execPath,
    [PROCESS_COMMAND_ARGS]: redactArguments([argv[0]!, ...process.execArgv, ...argv.slice(1)]),
    [PROCESS_RUNTIME_VERSION]: process.versions.node,
    [PROCESS_RUNTIME_NAME]: 'nodejs',
    [PROCESS_RUNTIME_DESCRIPTION]: 'Node.js',
    [PROCESS_COMMAND]: argv[1],
    [PROCESS_OWNER]: userName(),
  };
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A user id without a name, which is usual in containers.
    return undefined;
  }
}

/** Linux only: other systems tell it only through a command. */
function hostId(): string | undefined {
  return (read('/etc/machine-id') ?? read('/var/lib/dbus/machine-id'))?.trim() || undefined;
}

/**
 * The container's id, from the cgroup (version 1), else from the place from which the host name is mounted
 * (version 2).
 */
function containerId(): string | undefined {
  const id = /[0-9a-f]{64}/;
  const cgroup = read('/proc/self/cgroup')?.split('\n') ?? [];
  const mounts = read('/proc/self/mountinfo')?.split('\n') ?? [];
  for (const line of [...cgroup, ...mounts.filter((line) => line.includes('/hostname '))]) {
    const found = id.exec(line)?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
