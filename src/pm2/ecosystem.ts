/**
 * Makes a whole ecosystem file in one call: workers that are ready when they serve and have time to drain,
 * preloaded tracing, and the shipper as an app of its own.
 *
 * @module
 */

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Attributes } from '@opentelemetry/api';
import { OPTIONS_FILE_VARIABLE, resolveConfig } from '../config/index.js';
import type { TracingConfig } from '../config/types.js';
import { describeValue, ForktraceError } from '../errors.js';
import { ownFile } from '../own-files.js';
import { writeTracingFile } from './tracing-file.js';

/**
 * Tracing options of an app under pm2: those options of `startClusterWithTracing` that text can hold, with
 * the same meaning. pm2's `instances` sets the number of workers, and the script decides where they listen.
 */
export interface EcosystemTracing
  extends Omit<
    TracingConfig,
    'workers' | 'listen' | 'hooks' | 'sampler' | 'resource' | 'viewer' | (keyof TracingConfig & FunctionOption)
  > {
  /** Name of the service, the resource attribute `service.name`. @default the app's `name` */
  serviceName?: string;
  /** Resource attributes, added to those that forktrace detects. */
  resource?: Attributes;
  /** Enable the instrumentations that the app has installed. @default 'auto' with `preload`, else 'none' */
  instrumentations?: 'auto' | 'none';
  /** Name of a sampler, as in OTEL_TRACES_SAMPLER. */
  sampler?: string;
  /** Argument of the sampler, as in OTEL_TRACES_SAMPLER_ARG. */
  samplerArg?: number | string;
  /**
   * Path of a module whose default export is the options object. Use it for options that are functions, such
   * as `spanProcessors` or `http.spanDetails`. No other tracing option may stand beside it.
   */
  configFile?: string;
  /**
   * Preloads `forktrace/register`, so that the script needs no change. Turn it off for a script that calls
   * `startClusterWithTracing` or `startWorkerTracing` itself. @default true
   */
  preload?: boolean;
  /**
   * Runs the shipper as a pm2 app of its own. Without it the first worker starts the shipper. @default true
   * with the `journal` pipeline
   */
  shipper?: boolean;
}

type FunctionOption =
  | 'exporter'
  | 'idGenerator'
  | 'propagators'
  | 'spanProcessors'
  | 'tracerProvider'
  | 'meterProvider'
  | 'meter'
  | 'instrumentations';

/** A pm2 app. All other pm2 options are passed on unchanged. */
export interface EcosystemApp {
  /** Name of the app in pm2; also the default of `serviceName`. */
  name: string;
  /** Path of the program, as pm2 takes it. */
  script: string;
  /** Number of workers; `'max'`: one for each processor. @default 'max' */
  instances?: number | 'max';
  /** pm2's mode: `'cluster'` shares one port between the workers. @default 'cluster' */
  exec_mode?: 'cluster' | 'fork';
  /** Milliseconds from SIGINT to SIGKILL. Workers drain and flush within less. @default 8000 */
  kill_timeout?: number;
  /** Milliseconds within which a worker must be ready. @default 10000 */
  listen_timeout?: number;
  /** pm2 takes a worker as ready when it serves, not when it has been forked. @default true */
  wait_ready?: boolean;
  /** Arguments of Node.js. @default the preload, unless `tracing.preload` is false */
  node_args?: string | string[];
  /** Environment variables of the workers and of the shipper. */
  env?: Record<string, string | number | boolean>;
  /** Options of forktrace for this app. */
  tracing?: EcosystemTracing;
  [option: string]: unknown;
}

/** The object that pm2 reads from an ecosystem file. */
export interface Ecosystem {
  /** The apps, and the shippers of those that have one. */
  apps: Record<string, unknown>[];
}

/**
 * Makes the object that pm2 expects from an ecosystem file, for one app or several.
 *
 * @example
 * // ecosystem.config.cjs
 * const { defineEcosystem } = require('forktrace/pm2');
 * module.exports = defineEcosystem({ name: 'shop', script: 'server.js', instances: 4 });
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID when an option is wrong
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
  const environment = tracingEnvironment(app.name, tracing, at);
  const given = typeof nodeArgs === 'string' ? nodeArgs.split(' ').filter(Boolean) : nodeArgs;
  const preload = tracing.preload ?? true;
  const worker = {
    instances: 'max',
    exec_mode: 'cluster',
    wait_ready: true,
    kill_timeout: 8000,
    listen_timeout: 10_000,
    ...own,
    node_args: preload ? [...given, '--import', pathToFileURL(ownFile('register.js')).href] : given,
    env: { ...environment, ...env },
  };
  const shipper = tracing.shipper ?? (tracing.pipeline ?? 'journal') === 'journal';
  return shipper ? [worker, shipperApp(app.name, { ...environment, ...env })] : [worker];
}

function shipperApp(name: string, env: Record<string, unknown>): Record<string, unknown> {
  return {
    name: `${name}-shipper`,
    script: ownFile('cli/main.js'),
    args: ['ship', '--watch'],
    exec_mode: 'fork',
    instances: 1,
    // The shipper gets time to export what the workers wrote last.
    kill_timeout: 10_000,
    env,
  };
}

function tracingEnvironment(app: string, tracing: EcosystemTracing, at: string): Record<string, string> {
  const {
    serviceName = app,
    sampler,
    samplerArg,
    configFile,
    preload,
    shipper,
    instrumentations,
    ...options
  } = tracing;
  const environment: Record<string, string> = { OTEL_SERVICE_NAME: serviceName };
  if (sampler !== undefined) environment.OTEL_TRACES_SAMPLER = sampler;
  if (samplerArg !== undefined) environment.OTEL_TRACES_SAMPLER_ARG = String(samplerArg);
  // The preload looks for instrumentations before it reads the tracing options.
  if (instrumentations !== undefined) environment.FORKTRACE_INSTRUMENTATIONS = instrumentations;
  const names = Object.keys(options);
  if (configFile !== undefined && names.length > 0) {
    const expected = `no other option beside it, found ${names.join(', ')}`;
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
      `${at}tracing.configFile`,
      describeValue(configFile),
      expected,
    ]);
  }
  // A wrong option is reported now, not by each worker later.
  resolveConfig({ ...(options as TracingConfig), instrumentations, serviceName }, {});
  if (configFile !== undefined) environment[OPTIONS_FILE_VARIABLE] = resolve(configFile);
  else if (names.length > 0) environment[OPTIONS_FILE_VARIABLE] = writeTracingFile(app, options, at);
  return environment;
}
