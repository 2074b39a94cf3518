// A tool: ten spans, then its exit; prints the CPU time of the process up to then, in milliseconds.
const { trace } = require('@opentelemetry/api');

const tracer = trace.getTracer('bench');
tracer.startActiveSpan('tool', (span) => {
  for (let i = 0; i < 9; i++) tracer.startSpan(`step ${i}`).end();
  span.end();
});
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  console.log(`cpu ${(user + system) / 1000}`);
});
process.exit();
