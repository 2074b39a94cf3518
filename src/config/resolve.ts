/**
 * One configuration out of the user's and the environment. docs/configuration.md lists every option,
 * docs/environment.md every variable.
 *
 * Loaded in the coordinator: nothing here imports the OpenTelemetry SDK.
 *
 * @module
 */

import { availableParallelism } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import { isatty } from 'node:tty';
import { describeValue, ForktraceError } from '../errors.js';
import { pathSegment } from '../process/path-segment.js';
import { privateParent } from '../process/private-directory.js';
import { SERVICE_NAME } from '../wire/conventions.js';
import { withConfigFile } from './config-file.js';
import { Environment } from './environment.js';
import { resolveExport, resolveLogs, resolveMetrics } from './export.js';
import { resolveHttp } from './http.js';
import { flag, ratio, timerMs, urlOf, whole } from './kinds.js';
import { isInstalled } from './optional-package.js';
import { options } from './options/table.js';
import { withOptionsFile } from './options-file.js';
import { readOptions } from './read-options.js';
import type { NamedSampler, PropagatorName, ResolvedBatch, ResolvedConfig } from './resolved.js';
import { resolveService } from './service.js';
import type { TracingConfig } from './types.js';
import { sayUnknownVariables } from './unknown-variables.js';
import { host, PROPAGATOR_PACKAGES, REMOTE_SAMPLER_ARGUMENTS, SAMPLER_PACKAGES, specification } from './variables.js';

/**
 * What a process does: only one that `serves` listens and forks, so only it looks at PORT and
 * WEB_CONCURRENCY.
 */
export type StartedAs = 'serves' | 'traces';

/**
 * User config and environment, validated, defaulted and frozen. Config in code beats that of a file, which
 * beats the environment.
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID or FORKTRACE_ENV_INVALID, which names what is
 * wrong
 */
export function resolveConfig(code: TracingConfig, env: NodeJS.ProcessEnv, as: StartedAs = 'traces'): ResolvedConfig {
  const config = withOptionsFile(code, env);
  // The coordinator has said what is wrong with the environment of its workers.
  const quiet = env.FORKTRACE_SLOT !== undefined;
  const environment = new Environment(withConfigFile(new Environment(env, quiet)), quiet);
  const values = readOptions(options, config, environment);
  const environmentResource = environment.pairs('OTEL_RESOURCE_ATTRIBUTES') ?? {};
  const service = resolveService(config, environment, environmentResource);
  const production = env.NODE_ENV === 'production';
  const exported = resolveExport(config, values, environment, production);
  const workers = values.workers ?? hostWorkers(environment, as) ?? availableParallelism();
  const metrics = resolveMetrics(config, values, environment, exported);
  const pipeline = resolvePipeline(config, values.pipeline);
  const logs = resolveLogs(config, values, environment, exported, pipeline === 'journal' ? !production : false);
  const resolved = Object.freeze<ResolvedConfig>({
    ...values,
    serviceName: service.name,
    serviceVersion: service.version,
    environmentResource: Object.freeze(environmentResource),
    workers,
    listen: resolveListen(config, environment, as),
    pipeline,
    export: logs.to ? Object.freeze({ ...exported, logs: logs.to }) : exported,
    journal: resolveJournal(config, values.journal, environment, service.name),
    sampler: config.sampler ?? namedSampler(environment, service.name),
    batch: resolveBatch(environment),
    propagators: Object.freeze(config.propagators ? [...config.propagators] : namedPropagators(environment)),
    metrics,
    logs: logs.to && values.logs,
    logsUnasked: logs.unasked && pipeline === 'journal',
    http: resolveHttp(config.http, environment),
    supervise: resolveSupervise(values.supervise, workers),
    viewer: resolveViewer(config, values.viewer, environment, exported.to === 'viewer'),
    exceptionSignal: environment.read(
      'OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN',
      specification.OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN.kind,
    ),
    logLevel: environment.read('OTEL_LOG_LEVEL', specification.OTEL_LOG_LEVEL.kind),
  });
  sayUnknownVariables(environment);
  return resolved;
}

function hostWorkers(environment: Environment, as: StartedAs): number | undefined {
  const text = as === 'serves' ? environment.text('WEB_CONCURRENCY') : undefined;
  if (text === undefined || text.toLowerCase() === 'auto') return undefined;
  return host.WEB_CONCURRENCY.parse!(text) ?? refuseHost('WEB_CONCURRENCY', text);
}

function resolveListen({ listen }: TracingConfig, environment: Environment, as: StartedAs): ResolvedConfig['listen'] {
  if (typeof listen === 'number') return Object.freeze({ port: listen });
  if (listen?.port !== undefined || listen?.path !== undefined) return Object.freeze({ ...listen });
  const text = as === 'serves' ? environment.text('PORT') : undefined;
  const place = text === undefined ? 3000 : (host.PORT.parse!(text) ?? refuseHost('PORT', text));
  return Object.freeze(typeof place === 'number' ? { ...listen, port: place } : { ...listen, path: place });
}

/** Before anything listens. */
function refuseHost(name: 'PORT' | 'WEB_CONCURRENCY', text: string): never {
  throw new ForktraceError('FORKTRACE_ENV_INVALID', [name, JSON.stringify(text), host[name].expected]);
}

function resolvePipeline(config: TracingConfig, named: TracingConfig['pipeline']): 'journal' | 'batch' {
  if (config.exporter && config.pipeline === 'journal') {
    const expected = "'batch' with an exporter of your own: the journal is shipped by another process";
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', ['pipeline', "'journal'", expected]);
  }
  return config.pipeline ?? (config.exporter ? 'batch' : (named ?? 'journal'));
}

function resolveJournal(
  { journal: given }: TracingConfig,
  journal: { dir: string | undefined } & Omit<ResolvedConfig['journal'], 'dir'>,
  environment: Environment,
  serviceName: string,
): ResolvedConfig['journal'] {
  const { maxBytes, segmentBytes } = journal;
  if (maxBytes < segmentBytes) {
    const found = String(maxBytes);
    const expected = `at least one segment, ${segmentBytes} (journal.segmentBytes)`;
    if (given?.maxBytes === undefined) environment.unusable('FORKTRACE_JOURNAL_MAX_BYTES', found, expected);
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', ['journal.maxBytes', found, expected]);
  }
  const dir = journal.dir ?? privateParent().dir;
  return Object.freeze({ ...journal, dir: join(resolvePath(dir), pathSegment(serviceName)) });
}

/** All of it, or nothing where a part is unknown or unusable. */
function remoteArgument(environment: Environment, sampler: NamedSampler['name']): Record<string, string> | undefined {
  const variable = 'OTEL_TRACES_SAMPLER_ARG';
  const pairs = environment.pairs(variable);
  for (const [key, value] of Object.entries(pairs ?? {})) {
    // Its client speaks plain HTTP alone, and throws at any other URL.
    const kind = key === 'endpoint' && sampler === 'xray' ? urlOf('http:') : REMOTE_SAMPLER_ARGUMENTS[key];
    if (kind?.parse?.(value) !== undefined) continue;
    const expected = kind ? `${key} to be ${kind.expected}` : Object.keys(REMOTE_SAMPLER_ARGUMENTS).join(', ');
    environment.unusable(variable, describeValue(`${key}=${value}`), expected);
    return undefined;
  }
  return pairs;
}

function namedSampler(environment: Environment, serviceName: string): NamedSampler {
  let name = environment.read('OTEL_TRACES_SAMPLER', specification.OTEL_TRACES_SAMPLER.kind) ?? 'parentbased_always_on';
  const needed = SAMPLER_PACKAGES[name as keyof typeof SAMPLER_PACKAGES];
  if (needed !== undefined && !isInstalled(needed)) {
    environment.unusable('OTEL_TRACES_SAMPLER', `"${name}", whose package is not installed`, `npm install ${needed}`);
    name = 'parentbased_always_on';
  }
  if (name in SAMPLER_PACKAGES) {
    const argument = remoteArgument(environment, name);
    return Object.freeze({ name, ratio: 1, remote: Object.freeze({ ...argument, [SERVICE_NAME]: serviceName }) });
  }
  const read = name.endsWith('traceidratio') ? environment.read('OTEL_TRACES_SAMPLER_ARG', ratio) : undefined;
  return Object.freeze({ name, ratio: read ?? 1 });
}

function namedPropagators(environment: Environment): PropagatorName[] {
  const variable = 'OTEL_PROPAGATORS';
  const named = environment.list(variable, specification.OTEL_PROPAGATORS.kind);
  const propagators = (named ?? []).filter((name): name is PropagatorName => {
    if (name === 'none') return false;
    const needed = PROPAGATOR_PACKAGES[name as keyof typeof PROPAGATOR_PACKAGES];
    if (needed === undefined || isInstalled(needed)) return true;
    environment.unusable(variable, `"${name}", whose package is not installed`, `npm install ${needed}`);
    return false;
  });
  if (propagators.length > 0 && named?.includes('none')) {
    environment.unusable(variable, 'none beside others', 'none by itself');
  }
  return propagators.length > 0 || named?.includes('none') ? propagators : ['tracecontext', 'baggage'];
}

function resolveBatch(environment: Environment): ResolvedBatch {
  const read = <Name extends keyof typeof specification & `OTEL_BSP_${string}`>(name: Name) =>
    environment.read<number>(name, specification[name].kind);
  const maxQueueSize = read('OTEL_BSP_MAX_QUEUE_SIZE') ?? 2048;
  const size = read('OTEL_BSP_MAX_EXPORT_BATCH_SIZE');
  if (size !== undefined && size > maxQueueSize) {
    environment.unusable(
      'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
      `"${size}"`,
      `${whole(1, maxQueueSize).expected}, the queue's size`,
    );
  }
  return Object.freeze({
    maxQueueSize,
    maxExportBatchSize: Math.min(size !== undefined && size <= maxQueueSize ? size : 512, maxQueueSize),
    scheduledDelayMillis: read('OTEL_BSP_SCHEDULE_DELAY') ?? 5000,
    exportTimeoutMillis: timerMs(read('OTEL_BSP_EXPORT_TIMEOUT') ?? 30_000),
  });
}

function resolveSupervise(
  given: Omit<ResolvedConfig['supervise'], 'breakerDeaths' | 'prefix'> & {
    breakerDeaths: number | undefined;
    prefix: boolean | undefined;
  },
  workers: number,
): ResolvedConfig['supervise'] {
  const supervise = {
    ...given,
    breakerDeaths: given.breakerDeaths ?? 5 * workers,
    prefix: given.prefix ?? (workers > 1 && isatty(1)),
  };
  if (supervise.backoffMaxMs < supervise.backoffMinMs) {
    const expected = `at least supervise.backoffMinMs, ${supervise.backoffMinMs}`;
    const found = String(supervise.backoffMaxMs);
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', ['supervise.backoffMaxMs', found, expected]);
  }
  return Object.freeze(supervise);
}

function resolveViewer(
  { viewer }: TracingConfig,
  ports: NonNullable<ResolvedConfig['viewer']>,
  environment: Environment,
  isDestination: boolean,
): ResolvedConfig['viewer'] {
  const wanted = viewer ?? environment.read('FORKTRACE_VIEWER', flag) ?? false;
  return wanted || isDestination ? ports : undefined;
}
