// OpenTelemetry's declarative configuration, read by its own parser.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { withConfigFile } from '#src/config/config-file.js';
import { Environment } from '#src/config/environment.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const FILE = `
file_format: "1.0"
resource:
  attributes:
    - name: service.name
      value: from-the-file
    - name: team
      value: "a,b"
propagator:
  composite:
    - b3:
tracer_provider:
  limits:
    attribute_count_limit: 2
  sampler:
    parent_based:
      root:
        trace_id_ratio_based:
          ratio: 1
  processors:
    - batch:
        schedule_delay: 100
        exporter:
          otlp_http:
            endpoint: \${COLLECTOR}
            compression: gzip
            encoding: json
            headers:
              - name: x-tenant
                value: t1
logger_provider:
  processors:
    - simple:
        exporter:
          console:
`;

test('what has a counterpart holds, other variables do not, and what has none is named once', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const path = join(dir, 'otel.yaml');
  await writeFile(path, FILE);
  const program = runProgram(t, fixture('configured-job'), {
    env: {
      NODE_ENV: 'production',
      FORKTRACE_SHIP: 'inline',
      FORKTRACE_JOURNAL_DIR: dir,
      COLLECTOR: endpoint.httpUrl,
      OTEL_CONFIG_FILE: path,
      OTEL_SERVICE_NAME: 'from-a-variable',
      OTEL_TRACES_EXPORTER: 'none',
    },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  const [span] = await endpoint.waitForSpans(40);
  assert.equal(span!.resource['service.name'], 'from-the-file');
  assert.equal(span!.resource.team, 'a,b');
  assert.deepEqual(span!.attributes, { text: 'abcdefgh', two: 2 });
  assert.deepEqual(Object.keys(JSON.parse(program.stdout).headers), ['b3']);
  const { headers } = endpoint.requests[0]!;
  assert.deepEqual(
    [headers['x-tenant'], headers['content-type'], headers['content-encoding']],
    ['t1', 'application/json', 'gzip'],
  );
  const warnings = program.stderr.match(/Environment variable \w+.*/g);
  assert.deepEqual(warnings, [
    `Environment variable OTEL_CONFIG_FILE: these settings of ${path} have no counterpart and are ignored: logger_provider.processors.0.simple.exporter.console.`,
  ]);
});

/** What a file says, as variables; `ignored` is what it warns about. */
async function variablesOf(t: TestContext, text: string): Promise<{ variables: NodeJS.ProcessEnv; ignored: string }> {
  const path = join(await tempDir(t), 'otel.yaml');
  await writeFile(path, `file_format: "1.0"\n${text}`);
  const warnings: string[] = [];
  const hear = ({ message }: Error) => warnings.push(message);
  process.on('warning', hear);
  t.after(() => process.off('warning', hear));
  const variables = withConfigFile(
    new Environment({ OTEL_CONFIG_FILE: path, OTEL_SERVICE_NAME: 'gone', PATH: '/bin' }),
  );
  await new Promise(setImmediate);
  return { variables, ignored: warnings.join('\n') };
}

test('each setting has its variable', async (t) => {
  const { variables, ignored } = await variablesOf(
    t,
    `
disabled: false
log_level: warn2
attribute_limits:
  attribute_value_length_limit: 100
resource:
  attributes_list: "a=1,b=2"
propagator:
  composite_list: "tracecontext,baggage"
tracer_provider:
  sampler:
    always_off:
  processors:
    - simple:
        exporter:
          otlp_grpc:
            endpoint: http://collector:4317
            headers_list: "x=1"
            tls:
              ca_file: /ca.pem
              insecure: true
    - simple:
        exporter:
          console:
meter_provider:
  readers:
    - periodic:
        interval: 1000
        exporter:
          otlp_http:
            endpoint: http://collector:4318/v1/metrics
`,
  );
  const { OTEL_TRACES_SAMPLER, OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOG_LEVEL } = variables;
  assert.deepEqual(
    [OTEL_TRACES_SAMPLER, OTEL_TRACES_EXPORTER, OTEL_METRICS_EXPORTER, OTEL_LOG_LEVEL],
    ['always_off', 'otlp,console', 'otlp', 'warn'],
  );
  assert.equal(variables.OTEL_SERVICE_NAME, undefined, 'a file replaces the variables of the specification');
  assert.equal(variables.PATH, '/bin');
  assert.equal(variables.OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT, '100');
  assert.equal(variables.OTEL_RESOURCE_ATTRIBUTES, 'a=1,b=2');
  assert.equal(variables.OTEL_PROPAGATORS, 'tracecontext,baggage');
  assert.equal(variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, 'http://collector:4317');
  assert.equal(variables.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, 'grpc');
  assert.equal(variables.OTEL_EXPORTER_OTLP_TRACES_HEADERS, 'x=1');
  assert.equal(variables.OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE, '/ca.pem');
  assert.equal(variables.OTEL_EXPORTER_OTLP_TRACES_INSECURE, 'true');
  assert.equal(variables.OTEL_EXPORTER_OTLP_METRICS_PROTOCOL, 'http/protobuf');
  assert.equal(variables.OTEL_METRIC_EXPORT_INTERVAL, '1000');
  assert.equal(ignored, '');
});

test('a second exporter of a kind has no variable, and is named', async (t) => {
  const { variables, ignored } = await variablesOf(
    t,
    `
tracer_provider:
  sampler:
    trace_id_ratio_based:
      ratio: 0.25
  processors:
    - batch:
        exporter:
          otlp_http:
            endpoint: http://one:4318/v1/traces
    - batch:
        exporter:
          otlp_http:
            endpoint: http://two:4318/v1/traces
`,
  );
  assert.equal(variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, 'http://one:4318/v1/traces');
  assert.equal(variables.OTEL_TRACES_SAMPLER, 'traceidratio');
  assert.equal(variables.OTEL_TRACES_SAMPLER_ARG, '0.25');
  assert.match(ignored, /tracer_provider\.processors\.1\.batch\.exporter\.otlp_http\.endpoint/);
});

test('what is left out has the default of the specification, and what is not known is named', async (t) => {
  const { variables, ignored } = await variablesOf(
    t,
    `
log_level: fatal4
resource:
  attributes:
    - name: a
      value: "x y"
tracer_provider:
  sampler:
    parent_based:
      root:
        always_off:
  processors:
    - batch:
        exporter:
          otlp_grpc:
    - batch:
        exporter:
          console:
meter_provider:
  readers:
    - pull:
        exporter:
          prometheus/development:
    - periodic:
        exporter:
          console:
`,
  );
  assert.equal(variables.OTEL_LOG_LEVEL, 'error');
  assert.equal(variables.OTEL_RESOURCE_ATTRIBUTES, 'a=x%20y');
  assert.equal(variables.OTEL_TRACES_SAMPLER, 'parentbased_always_off');
  assert.equal(variables.OTEL_TRACES_EXPORTER, 'otlp,console');
  assert.equal(variables.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL, 'grpc');
  assert.equal(variables.OTEL_METRICS_EXPORTER, 'console');
  assert.match(ignored, /meter_provider\.readers\.0\.pull/);
});

test('settings that are there without a value have their default, too', async (t) => {
  const resource = await variablesOf(t, 'resource:\n  attributes:\n    - name: empty\n      value:\n');
  assert.equal(resource.variables.OTEL_RESOURCE_ATTRIBUTES, 'empty=');
  const sampled = (sampler: string) =>
    variablesOf(
      t,
      `tracer_provider:\n  processors:\n    - batch:\n        exporter:\n          console:\n  sampler:\n${sampler}`,
    );
  for (const [sampler, expected, argument] of [
    ['    parent_based:\n', 'parentbased_always_on', undefined],
    ['    trace_id_ratio_based:\n', 'traceidratio', '1'],
    ['    trace_id_ratio_based:\n      ratio:\n', 'traceidratio', '1'],
    ['    parent_based:\n      root:\n        trace_id_ratio_based:\n', 'parentbased_traceidratio', '1'],
  ] as const) {
    const { variables, ignored } = await sampled(sampler);
    assert.deepEqual([variables.OTEL_TRACES_SAMPLER, variables.OTEL_TRACES_SAMPLER_ARG], [expected, argument], sampler);
    assert.equal(ignored, '', sampler);
  }
  const unknown = await sampled('    probability/development:\n      ratio: 0.5\n');
  assert.equal(unknown.variables.OTEL_TRACES_SAMPLER, undefined);
  assert.match(unknown.ignored, /tracer_provider\.sampler\.probability/);
});

test('a file that cannot be read changes nothing, and is named', async (t) => {
  const { variables, ignored } = await variablesOf(t, 'tracer_provider: [');
  assert.equal(variables.OTEL_SERVICE_NAME, 'gone');
  assert.match(ignored, /OTEL_CONFIG_FILE.*a configuration file of OpenTelemetry/);
});
