export { suppressTracing } from '@opentelemetry/core';
