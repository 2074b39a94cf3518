// A tool: ten spans, then its exit; prints when it ends, and the CPU time of the process up to then, in
// milliseconds.
const { writeSync } = require('node:fs');
const { trace } = require('@opentelemetry/api');

const tracer = trace.getTracer('bench');
tracer.startActiveSpan('tool', (span) => {
  for (let i = 0; i < 9; i++) tracer.startSpan(`step ${i}`).end();
  span.end();
});
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(1, `cpu ${(user + system) / 1000}\n`);
});
writeSync(1, `ends ${performance.timeOrigin + performance.now()}\n`);
process.exit();
