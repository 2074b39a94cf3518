import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { resolveConfig } from '#src/config/resolve.js';
import type { TracingConfig } from '#src/config/types.js';
import { type ErrorCode, ForktraceError } from '#src/errors.js';
import { workerIdentity } from '#src/worker/identity.js';
import { resourceAttributes } from '#src/worker/resource.js';
import { tempDir } from '../process/temp-dir.js';

const resolve = (env: Record<string, string> = {}, config: TracingConfig = {}) => resolveConfig(config, env);

function rejects(code: ErrorCode, message: RegExp, env: Record<string, string>, config: unknown = {}) {
  assert.throws(
    () => resolveConfig(config as TracingConfig, env),
    (error) => {
      assert.ok(error instanceof ForktraceError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    },
  );
}

/** The one warning of a resolution, and what is resolved all the same. */
function ignores(message: RegExp, env: Record<string, string>, config: TracingConfig = {}) {
  const warnings = mock.method(process, 'emitWarning', () => {});
  try {
    const resolved = resolveConfig(config, env);
    const given = warnings.mock.calls.map((call) => call.arguments as unknown as [string, { code: string }]);
    assert.deepEqual(
      given.map(([, { code }]) => code),
      ['FORKTRACE_ENV_IGNORED'],
    );
    assert.match(given[0]![0], message);
    return resolved;
  } finally {
    warnings.mock.restore();
  }
}

test("an empty service name counts as not set, wherever it is, in the journal's name and in the resource", () => {
  const found = resolve().serviceName;
  assert.notEqual(found, '');
  for (const config of [
    resolve({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=' }),
    resolve({}, { resource: { 'service.name': '' } }),
  ]) {
    assert.equal(config.serviceName, found);
    assert.equal(resourceAttributes(config, workerIdentity())['service.name'], found);
  }
  assert.equal(resolve({ OTEL_SERVICE_NAME: '', OTEL_RESOURCE_ATTRIBUTES: 'service.name=shop' }).serviceName, 'shop');
});

test('with nothing configured spans go to the viewer, and in production to OTLP over gRPC', () => {
  const development = resolve();
  assert.deepEqual([development.export.to, development.viewer], ['viewer', { httpPort: 4318, grpcPort: 4317 }]);
  const production = resolve({ NODE_ENV: 'production' });
  assert.deepEqual([production.export.to, production.export.url], ['otlp-grpc', 'http://localhost:4317']);
  assert.equal(production.viewer, undefined);
  assert.equal(resolve({}, { viewer: false }).export.to, 'otlp-grpc');
  assert.equal(resolve({ NODE_ENV: 'production' }, { viewer: true }).export.to, 'viewer');
  assert.equal(resolve({ NODE_ENV: 'production', FORKTRACE_VIEWER: 'true' }).export.to, 'viewer');
  assert.equal(resolve({ FORKTRACE_VIEWER_URL: 'http://127.0.0.1:5' }).export.url, 'http://127.0.0.1:5');
});

test('the destination follows config, then the own variable, then the exporter variable, then an endpoint', () => {
  const all = { FORKTRACE_EXPORT: 'otlp-http', OTEL_TRACES_EXPORTER: 'console', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  assert.equal(resolve(all, { export: { to: 'none' } }).export.to, 'none');
  assert.equal(resolve(all).export.to, 'otlp-http');
  assert.equal(resolve({ ...all, FORKTRACE_EXPORT: '' }).export.to, 'console');
  assert.equal(resolve({ OTEL_TRACES_EXPORTER: 'otlp' }).export.to, 'otlp-grpc');
  assert.equal(
    resolve({ OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }).export.to,
    'otlp-http',
  );
  const endpoint = (url: string) => resolve({ OTEL_EXPORTER_OTLP_ENDPOINT: url }).export.to;
  assert.equal(endpoint('http://collector:4317'), 'otlp-grpc');
  assert.equal(endpoint('collector:4317'), 'otlp-grpc');
  assert.equal(endpoint('http://collector:4318'), 'otlp-http');
  assert.equal(endpoint('https://vendor.example/otlp'), 'otlp-http');
});

test('the general endpoint gets a path appended, that of one signal is used as it is', () => {
  const http = { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };
  const url = (env: Record<string, string>) => resolve({ ...http, ...env }).export.url;
  assert.equal(url({}), 'http://localhost:4318/v1/traces');
  assert.equal(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }), 'http://c:4318/v1/traces');
  assert.equal(url({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/otlp/' }), 'http://c:4318/otlp/v1/traces');
  assert.equal(url({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/mine' }), 'http://c:4318/mine');
  assert.equal(url({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318' }), 'http://c:4318/');
  const both = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/x' };
  assert.equal(url(both), 'http://b/x');
  const configured = (url: string) => resolve(both, { export: { to: 'otlp-http', url } }).export.url;
  assert.equal(configured('http://c:4318/v1/traces'), 'http://c:4318/v1/traces');
  assert.equal(configured('http://c:4318'), 'http://c:4318/v1/traces');
});

test('a gRPC endpoint without a scheme is TLS unless it is said to be insecure', () => {
  const url = (env: Record<string, string>) => resolve({ OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4317', ...env }).export.url;
  assert.equal(url({}), 'https://c:4317');
  assert.equal(url({ OTEL_EXPORTER_OTLP_INSECURE: 'true' }), 'http://c:4317');
  assert.equal(
    url({ OTEL_EXPORTER_OTLP_INSECURE: 'true', OTEL_EXPORTER_OTLP_TRACES_INSECURE: 'false' }),
    'https://c:4317',
  );
});

test('headers of both variables and of config are sent; the more specific wins', () => {
  const { headers } = resolve(
    { OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b=1,c=x%20y', OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=2,d=2' },
    { export: { headers: { d: '3' } } },
  ).export;
  assert.deepEqual(headers, { a: '1', b: '2', c: 'x y', d: '3' });
});

test('timeout and compression: one signal beats the general variable, config beats both', () => {
  const env = {
    OTEL_EXPORTER_OTLP_TIMEOUT: '1',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '2',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
  };
  assert.deepEqual([resolve(env).export.timeoutMs, resolve(env).export.compression], [2, 'gzip']);
  const { timeoutMs, compression } = resolve(env, { export: { timeoutMs: 3, compression: 'none' } }).export;
  assert.deepEqual([timeoutMs, compression], [3, 'none']);
});

test('certificates are read from their files, and PEM text is taken as it is', async (t) => {
  const file = join(await tempDir(t), 'ca.pem');
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  await writeFile(file, pem);
  assert.equal(resolve({ OTEL_EXPORTER_OTLP_CERTIFICATE: file }).export.tls.ca, pem);
  assert.equal(resolve({}, { export: { tls: { key: pem } } }).export.tls.key, pem);
  ignores(/OTEL_EXPORTER_OTLP_CLIENT_KEY.*ENOENT/, { OTEL_EXPORTER_OTLP_CLIENT_KEY: `${file}x` });
  rejects('FORKTRACE_CONFIG_INVALID', /export\.tls\.cert.*ENOENT/, {}, { export: { tls: { cert: 'nowhere.pem' } } });
});

test('metrics are off, and go beside the spans or where their variables say', () => {
  assert.equal(resolve().metrics, undefined);
  const grpc = resolve({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4317' }, { metrics: true }).metrics!;
  assert.deepEqual([grpc.export.to, grpc.export.url, grpc.intervalMs], ['otlp-grpc', 'http://c:4317', 60_000]);
  const http = resolve({}, { metrics: { intervalMs: 5 }, export: { url: 'http://c:4318/v1/traces' } }).metrics!;
  assert.deepEqual([http.export.url, http.intervalMs], ['http://c:4318/v1/metrics', 5]);
  const own = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://m:4318/m', OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'k=v' };
  const separate = resolve(own, { metrics: true, export: { url: 'http://c:4317' } }).metrics!;
  assert.deepEqual([separate.export.to, separate.export.url], ['otlp-http', 'http://m:4318/m']);
  assert.deepEqual(separate.export.headers, { k: 'v' });
  assert.equal(resolve({ OTEL_METRICS_EXPORTER: 'console' }).metrics!.export.to, 'console');
  assert.equal(resolve({ OTEL_METRICS_EXPORTER: 'console' }, { metrics: false }).metrics, undefined);
  assert.equal(resolve({ OTEL_METRICS_EXPORTER: 'none' }).metrics, undefined);
  assert.equal(resolve({ OTEL_METRIC_EXPORT_INTERVAL: '7' }, { metrics: true }).metrics!.intervalMs, 7);
});

test('samplers and propagators stay names, and config replaces them', () => {
  assert.deepEqual(resolve().sampler, { name: 'parentbased_always_on', ratio: 1 });
  const ratio = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' };
  assert.deepEqual(resolve(ratio).sampler, { name: 'parentbased_traceidratio', ratio: 0.25 });
  const sampler = { shouldSample: () => ({ decision: 0 }) };
  assert.equal(resolve(ratio, { sampler }).sampler, sampler);
  assert.deepEqual(resolve({ OTEL_PROPAGATORS: 'b3multi, jaeger,b3multi' }).propagators, ['b3multi', 'jaeger']);
  assert.deepEqual(resolve({ OTEL_PROPAGATORS: 'none' }).propagators, []);
  assert.deepEqual(resolve().propagators, ['tracecontext', 'baggage']);
});

test('a remote sampler has all of its argument, or nothing of one that is wrong', (t) => {
  const remote = (OTEL_TRACES_SAMPLER_ARG: string) =>
    resolve({ OTEL_SERVICE_NAME: 's', OTEL_TRACES_SAMPLER: 'jaeger_remote', OTEL_TRACES_SAMPLER_ARG }).sampler;
  const argument = { endpoint: 'http://c:14250', pollingIntervalMs: '5000', initialSamplingRate: '0.25' };
  const text = 'endpoint=http://c:14250,pollingIntervalMs=5000,initialSamplingRate=0.25';
  assert.deepEqual(remote(text), { name: 'jaeger_remote', ratio: 1, remote: { ...argument, 'service.name': 's' } });
  t.mock.method(process, 'emitWarning', () => {});
  assert.deepEqual(remote(`${text}5,a=b`), remote(''));
});

test('span limits: own variable, then the general one, then 128; config beats them', () => {
  const env = {
    OTEL_ATTRIBUTE_COUNT_LIMIT: '10',
    OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '20',
    OTEL_SPAN_EVENT_COUNT_LIMIT: '0',
  };
  const limits = resolve(env).spanLimits;
  assert.deepEqual(
    [limits.attributeCountLimit, limits.attributeValueLengthLimit, limits.eventCountLimit, limits.linkCountLimit],
    [10, 20, 0, 128],
  );
  assert.equal(resolve({ ...env, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '11' }).spanLimits.attributeCountLimit, 11);
  assert.equal(resolve(env, { spanLimits: { attributeCountLimit: 12 } }).spanLimits.attributeCountLimit, 12);
  assert.equal(resolve().spanLimits.attributeValueLengthLimit, Number.POSITIVE_INFINITY);
});

test('a queue that is smaller than the default batch shrinks the batch; a batch that does not fit is ignored', () => {
  assert.equal(resolve({ OTEL_BSP_MAX_QUEUE_SIZE: '100' }).batch.maxExportBatchSize, 100);
  const { batch } = ignores(/OTEL_BSP_MAX_EXPORT_BATCH_SIZE.*"600".*from 1 to 512/, {
    OTEL_BSP_MAX_QUEUE_SIZE: '512',
    OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '600',
  });
  assert.equal(batch.maxExportBatchSize, 512);
});

test('the service is named by config, resource, its variable, resource attributes, or the nearest package.json', () => {
  const env = { OTEL_SERVICE_NAME: 'variable', OTEL_RESOURCE_ATTRIBUTES: 'service.name=attribute,team=a%2Cb' };
  assert.equal(resolve(env, { serviceName: 'config' }).serviceName, 'config');
  assert.equal(resolve(env, { resource: { 'service.name': 'resource' } }).serviceName, 'resource');
  assert.equal(resolve(env).serviceName, 'variable');
  assert.equal(resolve({ ...env, OTEL_SERVICE_NAME: ' ' }).serviceName, 'attribute');
  assert.equal(resolve().serviceName, 'forktrace');
  assert.equal(resolve(env).environmentResource.team, 'a,b');
});

test('a service name stays one path segment of the journal directory', () => {
  const dir = (serviceName: string) => resolve({ FORKTRACE_JOURNAL_DIR: '/j' }, { serviceName }).journal.dir;
  assert.equal(dir('shop'), '/j/shop');
  assert.equal(dir('@shop/cart'), '/j/%40shop%2Fcart');
  assert.equal(dir('..'), '/j/%2E.');
  assert.equal(dir('../../etc'), '/j/%2E.%2F..%2Fetc');
  assert.notEqual(dir('订单'), dir('用户'));
});

test('worker count: config, FORKTRACE_WORKERS, WEB_CONCURRENCY, CPUs; and the breaker counts per worker', () => {
  const env = { FORKTRACE_WORKERS: '3', WEB_CONCURRENCY: '5' };
  assert.equal(resolve(env, { workers: 2 }).workers, 2);
  assert.equal(resolve(env).workers, 3);
  assert.equal(resolveConfig({}, { WEB_CONCURRENCY: '5' }, 'serves').workers, 5);
  assert.equal(resolveConfig({}, { WEB_CONCURRENCY: 'auto' }, 'serves').workers, availableParallelism());
  assert.equal(resolve().workers, availableParallelism());
  assert.equal(resolve(env, { workers: 2 }).supervise.breakerDeaths, 10);
});

test('an exporter implies the batch pipeline and starts no viewer; with the journal it is an error', () => {
  const exporter = (() => ({})) as never;
  const resolved = resolve({ FORKTRACE_PIPELINE: 'journal' }, { exporter });
  assert.deepEqual([resolved.pipeline, resolved.viewer], ['batch', undefined]);
  rejects(
    'FORKTRACE_CONFIG_INVALID',
    /Option pipeline: got 'journal', expected 'batch'/,
    {},
    { exporter, pipeline: 'journal' },
  );
});

test('what is resolved is frozen, and what the user passed is not', () => {
  const config: TracingConfig = { listen: { port: 1 }, hooks: {}, http: {} };
  const resolved = resolve({}, config);
  for (const [name, value] of Object.entries({ '': resolved, ...resolved })) {
    if (typeof value === 'object' && value !== null) assert.ok(Object.isFrozen(value), name);
  }
  for (const value of Object.values(config)) assert.ok(!Object.isFrozen(value));
  assert.equal(resolved.hooks.timeoutMs, 5000);
});

const unusable: [env: Record<string, string>, message: RegExp][] = [
  [{ OTEL_SDK_DISABLED: 'yes' }, /OTEL_SDK_DISABLED: got "yes", expected true or false/],
  [{ OTEL_TRACES_SAMPLER: 'allways_on' }, /OTEL_TRACES_SAMPLER: got "allways_on", expected always_on, always_off/],
  [
    { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '1.5' },
    /OTEL_TRACES_SAMPLER_ARG: got "1.5".*0 to 1/,
  ],
  ...(
    [
      [
        'jaeger_remote',
        'endpoint=x',
        /got "endpoint=x", expected endpoint to be a URL that begins with http:\/\/ or https:/,
      ],
      [
        'parentbased_jaeger_remote',
        'pollingIntervalMs=-1',
        /got "pollingIntervalMs=-1", expected .* a whole number from 1/,
      ],
      [
        'jaeger_remote',
        'endpoint=http://c:1,initialSamplingRate=7',
        /"initialSamplingRate=7", expected .* from 0 to 1/,
      ],
      ['jaeger_remote', 'endpiont=http://c:1', /got "endpiont=http:\/\/c:1", expected endpoint, pollingIntervalMs, /],
      [
        'xray',
        'endpoint=https://c',
        /got "endpoint=https:\/\/c", expected endpoint to be a URL that begins with http:\/\/\./,
      ],
    ] as const
  ).map(([name, argument, message]): [Record<string, string>, RegExp] => [
    { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: argument },
    message,
  ]),
  [{ OTEL_PROPAGATORS: 'tracecontext,b4' }, /OTEL_PROPAGATORS: got "b4", expected a comma-separated list/],
  [{ OTEL_PROPAGATORS: 'none,b3' }, /OTEL_PROPAGATORS: got none beside others/],
  [
    { OTEL_PROPAGATORS: 'xray-lambda' },
    /OTEL_PROPAGATORS: .*not installed.*npm install @opentelemetry\/propagator-aws-xray/,
  ],
  [{ OTEL_SPAN_LINK_COUNT_LIMIT: '-1' }, /OTEL_SPAN_LINK_COUNT_LIMIT: got "-1", expected a whole number from 0/],
  [{ OTEL_BSP_SCHEDULE_DELAY: '5s' }, /OTEL_BSP_SCHEDULE_DELAY: got "5s"/],
  [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /OTEL_TRACES_EXPORTER: got "zipkin", expected .* otlp, console or none/],
  [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/xml' }, /OTEL_EXPORTER_OTLP_PROTOCOL: got "http\/xml", expected grpc, /],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://x' }, /OTEL_EXPORTER_OTLP_ENDPOINT: got "ftp:\/\/x"/],
  [{ OTEL_EXPORTER_OTLP_TIMEOUT: 'x', OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '5' }, /OTEL_EXPORTER_OTLP_TIMEOUT: got "x"/],
  [{ OTEL_RESOURCE_ATTRIBUTES: 'a=1,b' }, /OTEL_RESOURCE_ATTRIBUTES: got a list whose item 2/],
  [{ OTEL_LOG_LEVEL: 'loud' }, /OTEL_LOG_LEVEL: got "loud"/],
  [{ OTEL_NODE_EXCLUDED_URLS: '(' }, /OTEL_NODE_EXCLUDED_URLS: got "\("/],
  [{ OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS: 'GET,A B' }, /HTTP_KNOWN_METHODS: got "A B"/],
  ...['SERVER_REQUEST', 'SERVER_RESPONSE', 'SANITIZE_FIELDS'].map((suffix): [Record<string, string>, RegExp] => [
    { [`OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_${suffix}`]: '(' },
    new RegExp(`CAPTURE_HEADERS_${suffix}: got "\\("`),
  ]),
  [{ OTEL_CONFIG_FILE: '/nowhere/otel.yaml' }, /OTEL_CONFIG_FILE: got ENOENT.*, expected a configuration file/],
  [{ OTEL_EXPERIMENTAL_CONFIG_FILE: '/otel.yaml' }, /OTEL_EXPERIMENTAL_CONFIG_FILE has no effect/],
];
for (const [env, message] of unusable) {
  test(`a variable of OpenTelemetry that is unusable is warned about, and the default used: ${JSON.stringify(env)}`, () => {
    assert.equal(ignores(message, env).serviceName, 'forktrace');
  });
}

const wrongVariables: [env: Record<string, string>, message: RegExp][] = [
  [{ WEB_CONCURRENCY: '0' }, /WEB_CONCURRENCY: got "0", expected a whole number from 1 to 1024, or auto/],
  [{ PORT: '70000' }, /PORT: got "70000"/],
  [{ PORT: 'http' }, /PORT: got "http", expected a port .* or the path of a Unix socket/],
  [{ FORKTRACE_PIPELINE: 'queue' }, /FORKTRACE_PIPELINE: got "queue", expected journal or batch/],
  [{ FORKTRACE_JOURNAL_MAX_BYTES: '100000' }, /FORKTRACE_JOURNAL_MAX_BYTES: got 100000, expected at least one segment/],
];
for (const [env, message] of wrongVariables) {
  test(`a wrong variable stops one who serves, and is named: ${JSON.stringify(env)}`, () => {
    assert.throws(() => resolveConfig({}, env, 'serves'), { code: 'FORKTRACE_ENV_INVALID', message });
  });
}

test('who does not serve leaves PORT and WEB_CONCURRENCY to the app', () => {
  for (const env of [{ PORT: 'http' }, { PORT: '/run/app.sock' }, { WEB_CONCURRENCY: '0' }] as Record<
    string,
    string
  >[]) {
    assert.deepEqual(resolve(env).listen, { port: 3000 });
    assert.equal(resolve(env).workers, availableParallelism());
  }
});

test('PORT may be a Unix socket or a pipe', () => {
  for (const path of ['/run/app.sock', './app.sock', '\\\\.\\pipe\\app']) {
    assert.deepEqual(resolveConfig({}, { PORT: path }, 'serves').listen, { path });
    assert.deepEqual(resolveConfig({ listen: { host: '::1', port: 1 } }, { PORT: path }, 'serves').listen, {
      host: '::1',
      port: 1,
    });
  }
});

test('an own variable that does not exist is warned about with the nearest one', () => {
  const warnings = mock.method(process, 'emitWarning', () => {});
  try {
    resolve({ FORKTRACE_PIPLINE: 'batch', FORKTRACE_ZZZZZZZZ: '1' });
    assert.deepEqual(
      warnings.mock.calls.map((call) => (call.arguments as unknown[])[0]),
      [
        'Environment variable FORKTRACE_PIPLINE is unknown. Did you mean FORKTRACE_PIPELINE?',
        'Environment variable FORKTRACE_ZZZZZZZZ is unknown. docs/environment.md lists the known ones.',
      ],
    );
  } finally {
    warnings.mock.restore();
  }
});

test('exporters are lists, empty items do not count, and what is unknown leaves the rest', () => {
  const to = (OTEL_TRACES_EXPORTER: string) => {
    const resolved = resolve({ NODE_ENV: 'production', OTEL_TRACES_EXPORTER }).export;
    return [resolved.to, resolved.print];
  };
  assert.deepEqual(to('otlp,console'), ['otlp-grpc', true]);
  assert.deepEqual(to('console,'), ['console', false]);
  assert.deepEqual(to('none'), ['none', false]);
  assert.deepEqual(resolve({ OTEL_PROPAGATORS: 'b3,' }).propagators, ['b3']);
  const metrics = resolve({ OTEL_METRICS_EXPORTER: 'console,otlp', NODE_ENV: 'production' }).metrics!;
  assert.deepEqual([metrics.export.to, metrics.export.print], ['otlp-grpc', true]);
});

test('http/json is OTLP over HTTP in JSON; a timeout of 0 is none', () => {
  const json = resolve({ OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_EXPORTER_OTLP_TIMEOUT: '0' }).export;
  assert.deepEqual([json.to, json.encoding, json.timeoutMs], ['otlp-http', 'json', 2 ** 31 - 1]);
  const zero = resolve({ OTEL_BSP_EXPORT_TIMEOUT: '0', OTEL_METRIC_EXPORT_TIMEOUT: '0' }, { metrics: true });
  assert.deepEqual([zero.batch.exportTimeoutMillis, zero.metrics!.timeoutMs], [2 ** 31 - 1, 60_000]);
});

test('an endpoint whose URL does not tell the protocol may be either', () => {
  const target = (url: string) => resolve({ OTEL_EXPORTER_OTLP_ENDPOINT: url }).export;
  assert.deepEqual(target('http://c:14318').otherwise, { to: 'otlp-http', url: 'http://c:14318/v1/traces' });
  for (const told of ['http://c:4317', 'c:14317', 'http://c:4318', 'http://c/otlp']) {
    assert.equal(target(told).otherwise, undefined);
  }
});

test('http options are compiled, from code and environment', () => {
  const { http } = resolve(
    {
      OTEL_NODE_EXCLUDED_URLS: '/health, /metrics$',
      OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST: 'x-tenant',
      OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS: 'tenant',
    },
    { http: { excludeUrls: [/a/g], trustProxy: ['10.0.0.0/8'], trustIncomingContext: false } },
  );
  assert.deepEqual(http.excludedUrls, [/a/, /\/health/, /\/metrics$/]);
  assert.deepEqual(http.captureHeaders, { request: ['x-tenant'], response: [], sanitize: [/tenant/i] });
  assert.equal(http.trustProxy!('10.1.1.1', 0), true);
  assert.equal(http.trustIncomingContext, false);
});

const wrongOptions: [config: unknown, message: RegExp][] = [
  [{ wokers: 4 }, /Option wokers: got an unknown name, expected workers \(did you mean that\?\)/],
  [{ export: { ur: 'x' } }, /Option export\.ur: got an unknown name, expected url \(did you mean/],
  [{ zzzzzz: 1 }, /Option zzzzzz: got an unknown name, expected one of serviceName, /],
  [{ viewer: { port: 1 } }, /Option viewer\.port: got an unknown name/],
  [{ workers: 0 }, /Option workers: got 0, expected a whole number from 1 to 1024/],
  [{ workers: '4' }, /Option workers: got "4"/],
  [{ workers: Number.NaN }, /Option workers: got NaN/],
  [{ listen: 65_536 }, /Option listen: got 65536, expected a port from 0 to 65535/],
  [{ listen: '8080' }, /Option listen: got "8080", expected a port/],
  [{ serviceName: '' }, /Option serviceName: got "", expected a non-empty string/],
  [{ pipeline: 'bach' }, /Option pipeline: got "bach", expected journal or batch/],
  [{ export: { to: 'otlp' } }, /Option export\.to: got "otlp", expected otlp-grpc, otlp-http, console, none or viewer/],
  [{ export: { url: 'collector', to: 'otlp-http' } }, /Option export\.url: got "collector", expected a URL/],
  [{ export: { url: 'http://c:4317/v1/traces', to: 'otlp-grpc' } }, /Option export\.url: .*without a path/],
  [{ exporter: {} }, /Option exporter: got an object \(Object\), expected a function that returns a SpanExporter/],
  [{ journal: { segmentBytes: 5000 } }, /Option journal\.segmentBytes: got 5000, expected a multiple of 4096/],
  [{ journal: { maxBytes: 100_000 } }, /Option journal\.maxBytes: got 100000, expected at least one segment/],
  [{ sampler: { sample() {} } }, /Option sampler: .*expected a Sampler/],
  [{ propagators: ['b3'] }, /Option propagators\[0\]: got "b3", expected a TextMapPropagator/],
  [{ resource: { team: { name: 'x' } } }, /Option resource\.team: got an object/],
  [{ http: { excludeUrls: ['('] } }, /Option http\.excludeUrls\[0\]: got "\(", expected a RegExp/],
  [{ http: { trustProxy: 'yes' } }, /Option http\.trustProxy: got "yes", expected true, false, a number/],
  [{ hooks: { postfork: () => {} } }, /Option hooks\.postfork: got an unknown name, expected postFork/],
  [{ hooks: { postFork: true } }, /Option hooks\.postFork: got true, expected a function/],
  [{ metrics: 'yes' }, /Option metrics: got "yes", expected true, false or an object of options/],
  [{ supervise: { backoffMinMs: 50, backoffMaxMs: 10 } }, /Option supervise\.backoffMaxMs: got 10, expected at least/],
  [{ viewer: false, export: { to: 'viewer' } }, /Option viewer: got false/],
  [null, /Option \(all\): got null, expected an object of options/],
];
for (const [config, message] of wrongOptions) {
  test(`a wrong option is named: ${message.source.slice(7, 60)}`, () =>
    rejects('FORKTRACE_CONFIG_INVALID', message, {}, config));
}

for (const [name, value] of [
  ['authorization', 'Bearer hunter2\n'],
  ['authorization', 'Bearer hunter2é'],
  ['x key', 'hunter2'],
  ['näme', 'hunter2'],
  ['transfer-encoding', 'hunter2'],
  ['token-bin', 'hunter2'],
] as const) {
  test(`a header that cannot be sent stops the start: ${JSON.stringify(name)}`, () => {
    const env = { OTEL_EXPORTER_OTLP_HEADERS: `${encodeURIComponent(name)}=${encodeURIComponent(value)},kept=1` };
    assert.throws(
      () => resolve({}, { export: { headers: { [name]: value } } }),
      (error: Error) => /^Option export\.headers\./.test(error.message) && !error.message.includes('hunter2'),
    );
    if (value.endsWith('\n')) return assert.equal(resolve(env).export.headers.authorization, 'Bearer hunter2\n'.trim());
    const { headers } = ignores(/^(?!.*hunter2).*OTEL_EXPORTER_OTLP_HEADERS: got a header/, env).export;
    assert.deepEqual(headers, { kept: '1' });
  });
}

test('an error about headers does not tell their values', () => {
  const secret = 'hunter2';
  ignores(/^(?!.*hunter2).*OTEL_EXPORTER_OTLP_HEADERS/, { OTEL_EXPORTER_OTLP_HEADERS: `authorization=ok,${secret}` });
  const run = () => resolveConfig({ export: { headers: { authorization: [secret] } } } as never, {});
  assert.throws(run, (error: Error) => error instanceof ForktraceError && !error.message.includes(secret));
});
