export { BatchSpanProcessor, ConsoleSpanExporter } from '@opentelemetry/sdk-trace-base';
export { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
