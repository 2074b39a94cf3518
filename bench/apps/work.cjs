// A request's work with 3 child spans through the OpenTelemetry API, which every contestant implements.
const { trace } = require('@opentelemetry/api');

const tracer = trace.getTracer('bench');
const items = Array.from({ length: 20 }, (_, id) => ({ id, name: `item ${id}`, price: id * 3.5 }));

module.exports = function catalogue(count = 3) {
  for (let i = 0; i < count; i++) {
    tracer.startActiveSpan(
      'step',
      { attributes: { 'step.name': 'load', 'step.index': i, 'step.cached': true } },
      (span) => {
        span.end();
      },
    );
  }
  return items;
};
