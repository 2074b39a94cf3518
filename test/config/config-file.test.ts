// OpenTelemetry's declarative configuration, read by its own parser.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
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
