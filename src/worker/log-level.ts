import * as own from '@opentelemetry/api';
import { DiagConsoleLogger, DiagLogLevel } from '@opentelemetry/api';
import type { ResolvedConfig } from '../config/resolved.js';
import { registeringCopy } from '../instrumentation/api-copies.js';

/** Turns on OpenTelemetry's internal logger when OTEL_LOG_LEVEL is set. */
export function setLogLevel({ logLevel }: ResolvedConfig): void {
  if (logLevel === undefined) return;
  const level = DiagLogLevel[logLevel.toUpperCase() as keyof typeof DiagLogLevel];
  // The first registration fixes the version of the API for all later ones.
  const { diag } = registeringCopy()?.api ?? own;
  diag.setLogger(new DiagConsoleLogger(), { logLevel: level, suppressOverrideMessage: true });
}
