/**
 * OTEL_CONFIG_FILE: OpenTelemetry's declarative configuration, as the variables that say the same. The parser
 * is `@opentelemetry/configuration`, when the app has it installed.
 *
 * @module
 */
import type { Environment } from './environment.js';
import { isInstalled, requireOptional } from './optional-package.js';

const VARIABLE = 'OTEL_CONFIG_FILE';
const PARSER = '@opentelemetry/configuration';
/** Not of the specification, which has a file replace its own variables only. */
const OTHERS = /^OTEL_(NODE|INSTRUMENTATION)_/;

type Node = Record<string, unknown>;
type Variables = Record<string, string>;

/** The environment that holds with the file; the same one where there is none, or it can't be read. */
export function withConfigFile(environment: Environment): NodeJS.ProcessEnv {
  const { env } = environment;
  const path = environment.text(VARIABLE);
  if (path === undefined) return env;
  if (!isInstalled(PARSER)) {
    environment.unusable(VARIABLE, 'a file, and no package that reads it', `npm install ${PARSER}@0.223.0`);
    return env;
  }
  let model: Node;
  try {
    model = structuredClone(parse(path));
  } catch (error) {
    environment.unusable(VARIABLE, (error as Error).message.split('\n')[0]!, 'a configuration file of OpenTelemetry');
    return env;
  }
  const variables = variablesOfModel(model);
  const ignored = leaves(model);
  if (ignored.length > 0) {
    const message = `these settings of ${path} have no counterpart and are ignored: ${ignored.join(', ')}.`;
    environment.say(VARIABLE, 'FORKTRACE_ENV_IGNORED', `Environment variable ${VARIABLE}: ${message}`);
  }
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('OTEL_') || OTHERS.test(name));
  return { ...Object.fromEntries(kept), ...variables };
}

/** The parser takes the path from the process's environment. */
function parse(path: string): Node {
  const { createConfigFactory } = requireOptional(PARSER) as { createConfigFactory(): { getConfigModel(): Node } };
  const before = process.env[VARIABLE];
  process.env[VARIABLE] = path;
  try {
    return createConfigFactory().getConfigModel();
  } finally {
    if (before === undefined) delete process.env[VARIABLE];
    else process.env[VARIABLE] = before;
  }
}

/** Takes what has a counterpart out of the model. */
function variablesOfModel(model: Node): Variables {
  const variables: Variables = { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none' };
  const move = (node: Node | undefined, names: Record<string, string>) => {
    for (const [key, name] of Object.entries(names)) {
      const value = take(node, key);
      if (value !== undefined && value !== null) variables[name] = String(value);
    }
  };
  move(model, { disabled: 'OTEL_SDK_DISABLED' });
  const level = take(model, 'log_level');
  if (level) variables.OTEL_LOG_LEVEL = LOG_LEVELS[String(level).replace(/\d$/, '')]!;
  move(child(model, 'attribute_limits'), {
    attribute_value_length_limit: 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    attribute_count_limit: 'OTEL_ATTRIBUTE_COUNT_LIMIT',
  });
  const attributes = resourceAttributes(child(model, 'resource'));
  if (attributes !== '') variables.OTEL_RESOURCE_ATTRIBUTES = attributes;
  const propagators = propagatorNames(child(model, 'propagator'));
  if (propagators !== '') variables.OTEL_PROPAGATORS = propagators;

  const tracer = child(model, 'tracer_provider');
  move(child(tracer, 'limits'), {
    attribute_value_length_limit: 'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
    attribute_count_limit: 'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
    event_count_limit: 'OTEL_SPAN_EVENT_COUNT_LIMIT',
    link_count_limit: 'OTEL_SPAN_LINK_COUNT_LIMIT',
    event_attribute_count_limit: 'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT',
    link_attribute_count_limit: 'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT',
  });
  const sampler = samplerName(child(tracer, 'sampler'), variables);
  if (sampler) variables.OTEL_TRACES_SAMPLER = sampler;
  for (const processor of list(tracer, 'processors')) {
    const batch = child(processor, 'batch');
    const exporter = child(batch ?? child(processor, 'simple'), 'exporter');
    if (!takeExporter(exporter, 'TRACES', variables)) continue;
    move(batch, {
      schedule_delay: 'OTEL_BSP_SCHEDULE_DELAY',
      export_timeout: 'OTEL_BSP_EXPORT_TIMEOUT',
      max_queue_size: 'OTEL_BSP_MAX_QUEUE_SIZE',
      max_export_batch_size: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    });
  }
  for (const reader of list(child(model, 'meter_provider'), 'readers')) {
    const periodic = child(reader, 'periodic');
    if (!takeExporter(child(periodic, 'exporter'), 'METRICS', variables)) continue;
    move(periodic, { interval: 'OTEL_METRIC_EXPORT_INTERVAL', timeout: 'OTEL_METRIC_EXPORT_TIMEOUT' });
  }
  return variables;

  /** One OTLP exporter of a signal, and the console; false for any other. */
  function takeExporter(exporter: Node | undefined, signal: 'TRACES' | 'METRICS', variables: Variables): boolean {
    if (exporter === undefined) return false;
    const selector = `OTEL_${signal}_EXPORTER`;
    const named = variables[selector] === 'none' ? [] : variables[selector]!.split(',');
    const to = 'otlp_http' in exporter ? 'otlp_http' : 'otlp_grpc' in exporter ? 'otlp_grpc' : undefined;
    if (to === undefined || named.includes('otlp')) {
      if (!('console' in exporter)) return false;
      take(exporter, 'console');
      variables[selector] = [...named, 'console'].join();
      return true;
    }
    const target = child(exporter, to);
    const prefix = `OTEL_EXPORTER_OTLP_${signal}_`;
    move(target, { endpoint: `${prefix}ENDPOINT`, compression: `${prefix}COMPRESSION`, timeout: `${prefix}TIMEOUT` });
    move(child(target, 'tls'), {
      ca_file: `${prefix}CERTIFICATE`,
      cert_file: `${prefix}CLIENT_CERTIFICATE`,
      key_file: `${prefix}CLIENT_KEY`,
      insecure: `${prefix}INSECURE`,
    });
    const headers = pairs(take(target, 'headers_list'), list(target, 'headers'));
    if (headers !== '') variables[`${prefix}HEADERS`] = headers;
    const json = take(target, 'encoding') === 'json';
    variables[`${prefix}PROTOCOL`] = to === 'otlp_grpc' ? 'grpc' : json ? 'http/json' : 'http/protobuf';
    variables[selector] = [...named, 'otlp'].join();
    if (target && Object.keys(target).length === 0) delete exporter[to];
    if (exporter[to] === null) delete exporter[to];
    return true;
  }
}

/** Severities as the names of OTEL_LOG_LEVEL. */
const LOG_LEVELS: Record<string, string> = {
  trace: 'verbose',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  error: 'error',
  fatal: 'error',
};

function resourceAttributes(resource: Node | undefined): string {
  const scalars = list(resource, 'attributes').filter(({ value }) => !Array.isArray(value));
  return pairs(take(resource, 'attributes_list'), scalars);
}

/** A list in text, and one of names and values, which wins. */
function pairs(text: unknown, entries: Node[]): string {
  const encoded = entries.map((entry) => {
    const [name, value] = [take(entry, 'name'), take(entry, 'value')];
    take(entry, 'type');
    return `${encodeURIComponent(String(name))}=${encodeURIComponent(String(value ?? ''))}`;
  });
  return [...(text ? [String(text)] : []), ...encoded].join();
}

function propagatorNames(propagator: Node | undefined): string {
  const names = list(propagator, 'composite').flatMap((each) => {
    const found = Object.keys(each);
    for (const name of found) delete each[name];
    return found;
  });
  const text = take(propagator, 'composite_list');
  return [...names, ...(text ? [String(text)] : [])].join();
}

function samplerName(sampler: Node | undefined, variables: Variables): string | undefined {
  if (sampler === undefined) return undefined;
  if ('parent_based' in sampler) {
    const parent = child(sampler, 'parent_based');
    const root = samplerName(child(parent, 'root'), variables) ?? 'always_on';
    if (sampler.parent_based === null) delete sampler.parent_based;
    return `parentbased_${root}`;
  }
  for (const name of ['always_on', 'always_off']) {
    if (!(name in sampler)) continue;
    delete sampler[name];
    return name;
  }
  if (!('trace_id_ratio_based' in sampler)) return undefined;
  const ratio = take(child(sampler, 'trace_id_ratio_based'), 'ratio') ?? 1;
  if (sampler.trace_id_ratio_based === null) delete sampler.trace_id_ratio_based;
  variables.OTEL_TRACES_SAMPLER_ARG = String(ratio);
  return 'traceidratio';
}

function take(node: Node | undefined, key: string): unknown {
  const value = node?.[key];
  if (node) delete node[key];
  return value;
}

function child(node: Node | undefined, key: string): Node | undefined {
  const value = node?.[key];
  return typeof value === 'object' && value !== null ? (value as Node) : undefined;
}

function list(node: Node | undefined, key: string): Node[] {
  const value = node?.[key];
  return Array.isArray(value) ? value : [];
}

/** What is left, by its path. */
function leaves(node: unknown, path = ''): string[] {
  if (typeof node !== 'object' || node === null) return node === undefined ? [] : [path];
  const children = Object.entries(node);
  return children.flatMap(([key, value]) => leaves(value, path === '' ? key : `${path}.${key}`));
}
