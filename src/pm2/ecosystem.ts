/**
 * An ecosystem file in one call: workers that are ready when they serve and have the time to drain, tracing preloaded, and
 * the shipper as an app of its own.
 *
 * @module
 */
import { describeValue, ForktraceError } from '../errors.js';

/** Tracing options that can be told through the environment; the rest belongs in `startClusterWithTracing`. */
export interface EcosystemTracing {
  /** @default the app's `name` */
  serviceName?: string;
  /** OTEL_RESOURCE_ATTRIBUTES */
  resource?: Record<string, string | number | boolean>;
  pipeline?: 'journal' | 'batch';
  export?: {
    to?: 'otlp-grpc' | 'otlp-http' | 'console' | 'none';
    url?: string;
    headers?: Record<string, string>;
    compression?: 'none' | 'gzip';
  };
  journal?: { dir?: string; maxBytes?: number; mode?: 'auto' | 'mmap' | 'write' };
  /** OTEL_TRACES_SAMPLER and its argument. */
  sampler?: string;
  samplerArg?: number | string;
  /**
   * Preload `forktrace/register`, so that the script needs no change. Turn it off for a script that calls
   * `startClusterWithTracing` or `startWorkerTracing` itself. @default true
   */
  preload?: boolean;
  /** The shipper as a pm2 app of its own; without it the first worker brings one up. @default true with the journal */
  shipper?: boolean;
}

/** A pm2 app. Every option of pm2's that is not named here is passed on as it is. */
export interface EcosystemApp {
  name: string;
  script: string;
  /** @default 'max' */
  instances?: number | 'max';
  /** @default 'cluster' */
  exec_mode?: 'cluster' | 'fork';
  /** Milliseconds from SIGINT to SIGKILL; workers drain and flush in less. @default 8000 */
  kill_timeout?: number;
  /** Milliseconds until a worker must be ready. @default 10000 */
  listen_timeout?: number;
  wait_ready?: boolean;
  node_args?: string | string[];
  env?: Record<string, string | number | boolean>;
  tracing?: EcosystemTracing;
  [option: string]: unknown;
}

/** What pm2 reads from an ecosystem file. */
export interface Ecosystem {
  apps: Record<string, unknown>[];
}

/**
 * An ecosystem object for pm2, from one app or several.
 *
 * @example
 * // ecosystem.config.cjs
 * const { defineEcosystem } = require('forktrace/pm2');
 * module.exports = defineEcosystem({ name: 'shop', script: 'server.js', instances: 4 });
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID
 */
export function defineEcosystem(config: EcosystemApp | EcosystemApp[]): Ecosystem {
  const apps = Array.isArray(config) ? config : [config];
  return { apps: apps.flatMap((app, index) => ecosystemApps(app, Array.isArray(config) ? `[${index}].` : '')) };
}

function ecosystemApps(app: EcosystemApp, at: string): Record<string, unknown>[] {
  for (const option of ['name', 'script'] as const) {
    if (typeof app[option] !== 'string' || app[option] === '') {
      throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
        `${at}${option}`,
        describeValue(app[option]),
        'a name or path',
      ]);
    }
  }
  const { tracing = {}, node_args: nodeArgs = [], env = {}, ...own } = app;
  const environment = tracingEnvironment(app.name, tracing);
  const given = typeof nodeArgs === 'string' ? nodeArgs.split(' ').filter(Boolean) : nodeArgs;
  const preload = tracing.preload ?? true;
  const worker = {
    instances: 'max',
    exec_mode: 'cluster',
    wait_ready: true,
    kill_timeout: 8000,
    listen_timeout: 10_000,
    ...own,
    node_args: preload ? [...given, '--import', new URL('../register.js', import.meta.url).href] : given,
    env: { ...environment, ...env },
  };
  const shipper = tracing.shipper ?? (tracing.pipeline ?? 'journal') === 'journal';
  return shipper ? [worker, shipperApp(app.name, { ...environment, ...env })] : [worker];
}

function shipperApp(name: string, env: Record<string, unknown>): Record<string, unknown> {
  return {
    name: `${name}-shipper`,
    script: new URL('../cli/main.js', import.meta.url).pathname,
    args: ['ship', '--watch'],
    exec_mode: 'fork',
    instances: 1,
    // What the workers wrote in their last moments is shipped before it goes.
    kill_timeout: 10_000,
    env,
  };
}

function tracingEnvironment(name: string, tracing: EcosystemTracing): Record<string, string> {
  const { export: target = {}, journal = {} } = tracing;
  const variables: Record<string, string | number | undefined> = {
    OTEL_SERVICE_NAME: tracing.serviceName ?? name,
    OTEL_RESOURCE_ATTRIBUTES: tracing.resource && pairs(tracing.resource),
    FORKTRACE_PIPELINE: tracing.pipeline,
    FORKTRACE_EXPORT: target.to,
    OTEL_EXPORTER_OTLP_ENDPOINT: target.url,
    OTEL_EXPORTER_OTLP_HEADERS: target.headers && pairs(target.headers),
    OTEL_EXPORTER_OTLP_COMPRESSION: target.compression,
    FORKTRACE_JOURNAL_DIR: journal.dir,
    FORKTRACE_JOURNAL_MAX_BYTES: journal.maxBytes,
    FORKTRACE_JOURNAL_MODE: journal.mode,
    OTEL_TRACES_SAMPLER: tracing.sampler,
    OTEL_TRACES_SAMPLER_ARG: tracing.samplerArg,
  };
  return Object.fromEntries(
    Object.entries(variables)
      .filter(([, value]) => value !== undefined)
      .map(([variable, value]) => [variable, String(value)]),
  );
}

/** W3C Baggage syntax, which OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS share. */
function pairs(values: Record<string, string | number | boolean>): string {
  return Object.entries(values)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`)
    .join(',');
}
