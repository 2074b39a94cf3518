export { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
