import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api';
import type { ResolvedConfig } from '../config/resolved.js';

/** Turns on OpenTelemetry's internal logger when OTEL_LOG_LEVEL is set. */
export function setLogLevel({ logLevel }: ResolvedConfig): void {
  if (logLevel === undefined) return;
  const level = DiagLogLevel[logLevel.toUpperCase() as keyof typeof DiagLogLevel];
  diag.setLogger(new DiagConsoleLogger(), { logLevel: level, suppressOverrideMessage: true });
}
