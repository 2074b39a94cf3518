import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveConfig } from '#src/config/index.js';
import type { TracingConfig } from '#src/config/types.js';
import { describeDestination } from '#src/process/destination.js';

const said = (config: TracingConfig, env: NodeJS.ProcessEnv = {}, viewerUrl?: string) =>
  describeDestination(resolveConfig(config, { OTEL_LOGS_EXPORTER: 'none', ...env }), viewerUrl);

test('the line at the start says where spans go, and no password', () => {
  assert.match(said({ disabled: true }), /^tracing is off/);
  assert.equal(said({ exporter: () => ({}) as never }), "spans go to the app's own exporter");
  assert.equal(
    said({ tracerProvider: { getTracer: () => ({}) as never } }),
    "spans go to the app's own tracer provider",
  );
  assert.equal(said({ export: { to: 'none' } }), "spans go nowhere (export.to is 'none')");
  assert.equal(said({ export: { to: 'console' } }), 'spans go to this console');
  const url = 'http://user:secret@collector:4317';
  assert.equal(said({ export: { to: 'otlp-grpc', url } }), 'spans go to http://collector:4317 (OTLP/gRPC)');
  const http = said({ export: { to: 'otlp-http', url } });
  assert.match(http, /^spans go to http:\/\/collector:4317\S* \(OTLP\/HTTP\)$/);
  assert.doesNotMatch(http, /secret/);
  assert.equal(said({ export: { to: 'viewer' } }, {}, 'http://localhost:4318/'), 'traces at http://localhost:4318/');
  assert.match(
    said({ export: { to: 'viewer' } }),
    /^spans go to a viewer at http:\S+; "npx forktrace viewer" starts one$/,
  );
});

test('and that log records are not exported, in production, unless they are asked for', () => {
  const config = { export: { to: 'otlp-grpc' } } as const;
  const inProduction = (env: NodeJS.ProcessEnv) =>
    describeDestination(resolveConfig(config, { NODE_ENV: 'production', ...env }));
  const unasked =
    /\(OTLP\/gRPC\); log records are not exported in production \(OTEL_LOGS_EXPORTER=otlp turns them on\)$/;
  assert.match(inProduction({}), unasked);
  assert.match(inProduction({ OTEL_LOGS_EXPORTER: 'none' }), /\(OTLP\/gRPC\)$/);
  assert.match(inProduction({ OTEL_LOGS_EXPORTER: 'otlp' }), /\(OTLP\/gRPC\)$/);
});
