// Datadog's tracer, sending to an agent that takes everything; Node.js 22 and later.
require('dd-trace').init({
  service: 'bench',
  url: process.env.BENCH_HTTP_SINK,
  startupLogs: false,
  runtimeMetrics: false,
  telemetry: { enabled: false },
});
