/** @module Options of spans, metrics and instrumentations. */
import type { Meter, MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import type { IdGenerator, Sampler, SpanProcessor } from '../../sdk/types.js';
import { callback, choice, either, flag, instance, lengthLimit, listOf, milliseconds, text, whole } from '../kinds.js';
import { group, option, toggle } from '../option.js';
import type { InstrumentationLike, SpanProcessorParts } from '../types.js';

const made = callback<() => InstrumentationLike[]>(
  '() => InstrumentationLike[]',
  'a function that returns an array of instrumentations',
);
const named = choice('auto', 'none');
const instrumentations = either<'auto' | 'none' | (() => InstrumentationLike[])>(
  `'auto', 'none' or ${made.expected}`,
  `${named.type} | (${made.type})`,
  (value) => (typeof value === 'function' ? made : named.check(value) === undefined ? named : undefined),
  named.parse,
);

const limit = (about: string, ...variable: string[]) => option(whole(0), { about, variable, default: 128 });

export const tracing = {
  sampler: option(instance<Sampler>('Sampler', 'a', 'shouldSample'), {
    about: 'Decides which spans are recorded.',
    otherwise: '`OTEL_TRACES_SAMPLER`, else `parentbased_always_on`',
  }),
  spanLimits: group('SpanLimitsConfig', 'What a span may contain; anything beyond is dropped and counted.', {
    attributeValueLengthLimit: option(lengthLimit, {
      about: 'How many characters a string attribute may have. A longer one is cut.',
      // The general limit is for what has no limit of its own: OpenTelemetry specification, "Attribute
      // Limits".
      variable: ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
      default: Number.POSITIVE_INFINITY,
      otherwise: 'no limit',
    }),
    attributeCountLimit: limit(
      'How many attributes of a span are kept. Those beyond are dropped and counted.',
      'OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT',
      'OTEL_ATTRIBUTE_COUNT_LIMIT',
    ),
    linkCountLimit: limit(
      'How many links of a span are kept. Those beyond are dropped and counted.',
      'OTEL_SPAN_LINK_COUNT_LIMIT',
    ),
    eventCountLimit: limit(
      'How many events of a span are kept. Those beyond are dropped and counted.',
      'OTEL_SPAN_EVENT_COUNT_LIMIT',
    ),
    attributePerEventCountLimit: limit('How many attributes of an event are kept.', 'OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'),
    attributePerLinkCountLimit: limit('How many attributes of a link are kept.', 'OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'),
  }),
  idGenerator: option(instance<IdGenerator>('IdGenerator', 'an', 'generateTraceId', 'generateSpanId'), {
    about: 'An object that makes trace and span ids.',
    otherwise: 'random ids',
  }),
  propagators: option(
    listOf(
      instance<TextMapPropagator>('TextMapPropagator', 'a', 'inject', 'extract', 'fields'),
      'an array of TextMapPropagators',
    ),
    {
      about: 'Read and write trace context in headers, messages and the environment.',
      otherwise: '`OTEL_PROPAGATORS`, else W3C trace context and baggage',
    },
  ),
  spanProcessors: option(
    callback<(parts: SpanProcessorParts) => SpanProcessor[]>(
      '(parts: SpanProcessorParts) => SpanProcessor[]',
      'a function that returns an array of SpanProcessors',
    ),
    {
      about:
        "Makes span processors, in the worker. The pipeline's own comes after them, unless they wrap it: `({ pipeline }) => …`.",
    },
  ),
  tracerProvider: option(instance<TracerProvider>('TracerProvider', 'a', 'getTracer'), {
    about: 'A tracer provider of your own. forktrace then builds none, and spans go where that one sends them.',
    otherwise: 'built in the worker',
  }),
  meterProvider: option(instance<MeterProvider>('MeterProvider', 'a', 'getMeter'), {
    about: 'The meter provider for metrics, instead of the one that is registered with the API.',
  }),
  meter: option(instance<Meter>('Meter', 'a', 'createCounter'), {
    about: 'The meter for metrics, instead of one from the meter provider.',
  }),
  metrics: toggle(
    'MetricsConfig',
    {
      about: 'Sets up an SDK MeterProvider with an OTLP reader in each worker.',
      otherwise: '`false`, `true` with `OTEL_METRICS_EXPORTER`',
    },
    {
      intervalMs: option(milliseconds(1), {
        about: 'Time between two exports of metrics.',
        unit: 'ms',
        variable: 'OTEL_METRIC_EXPORT_INTERVAL',
        default: 60_000,
      }),
      runtime: option(flag, {
        about: 'Measures event-loop delay and utilisation, the heap and garbage collection.',
        default: true,
      }),
      url: option(text, {
        about: 'The endpoint for metrics, in the form of `export.url`.',
        otherwise: 'beside the spans',
      }),
    },
  ),
  instrumentations: option(instrumentations, {
    about:
      "`'auto'`: enables what the app has installed, without code: `@opentelemetry/auto-instrumentations-node`, or each installed `@opentelemetry/instrumentation-…`. A function makes instrumentations; they are enabled in the worker before the app loads. `'none'`: none.",
    variable: 'FORKTRACE_INSTRUMENTATIONS',
    otherwise: "`'auto'` with `forktrace/register` and `forktrace run`, else `'none'`",
  }),
  rootSpan: option(flag, {
    about:
      'One span around the whole life of a process that is no server, named after its program, so that a tool without instrumentation has a trace.',
    variable: 'FORKTRACE_ROOT_SPAN',
    default: false,
  }),
  outgoing: option(flag, {
    about:
      'Trace outgoing `fetch` and `http` with the official instrumentations, when they are installed, and children of `tracedFork` and `tracedSpawn` from start to exit.',
    variable: 'FORKTRACE_OUTGOING',
    default: false,
  }),
};
