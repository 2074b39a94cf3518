import type { ResolvedConfig } from '../config/resolved.js';

type Destination = Pick<ResolvedConfig, 'disabled' | 'export' | 'exporter' | 'tracerProvider' | 'logsUnasked'>;

/**
 * One line that says where spans go.
 *
 * @param viewerUrl page of the viewer that this program has started; undefined when it has started none
 */
export function describeDestination(config: Destination, viewerUrl?: string): string {
  const spans = describeSpans(config, viewerUrl);
  const isQuiet = config.disabled || !config.logsUnasked;
  return isQuiet
    ? spans
    : `${spans}; log records are not exported in production (OTEL_LOGS_EXPORTER=otlp turns them on)`;
}

function describeSpans({ disabled, export: target, exporter, tracerProvider }: Destination, viewerUrl?: string) {
  if (disabled) return 'tracing is off (option disabled, or OTEL_SDK_DISABLED)';
  if (tracerProvider) return "spans go to the app's own tracer provider";
  if (exporter) return "spans go to the app's own exporter";
  switch (target.to) {
    case 'none':
      return "spans go nowhere (export.to is 'none')";
    case 'console':
      return 'spans go to this console';
    case 'otlp-grpc':
      return `spans go to ${withoutPassword(target.url)} (OTLP/gRPC)`;
    case 'otlp-http':
      return `spans go to ${withoutPassword(target.url)} (OTLP/HTTP)`;
    case 'viewer':
      return viewerUrl === undefined
        ? `spans go to a viewer at ${withoutPassword(target.url ?? 'http://localhost:4317')}; "npx forktrace viewer" starts one`
        : `traces at ${viewerUrl}`;
  }
}

function withoutPassword(url: string | undefined): string {
  return (url ?? '').replace(/\/\/[^/@]*@/, '//');
}
