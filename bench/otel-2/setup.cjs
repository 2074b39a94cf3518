// As OpenTelemetry's "Getting started" for Node.js has it: node --require ./setup.cjs app.cjs
const { NodeSDK } = require('@opentelemetry/sdk-node');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-grpc');

const { BENCH_INSTRUMENTATIONS } = process.env;
const others = BENCH_INSTRUMENTATIONS ? require(BENCH_INSTRUMENTATIONS)() : [];
const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  instrumentations: [new HttpInstrumentation(), ...others],
});
sdk.start();
process.on('SIGTERM', () => {
  sdk.shutdown().finally(() => process.exit(0));
});
