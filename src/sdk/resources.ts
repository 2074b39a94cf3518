export { resourceFromAttributes } from '@opentelemetry/resources';
