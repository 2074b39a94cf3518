import type { Tracer } from '@opentelemetry/api';
import type { HttpTracingConfig } from '../config/types.js';
import type { HeaderCapture } from './header-capture.js';
import { OTHER_METHOD } from './request-method.js';

/** What a request needs of its server's options after its span has started. */
export interface RequestSettings {
  readonly tracer: Tracer;
  readonly receiveSpans: boolean;
  readonly sendSpans: boolean;
  readonly responseHeader: false | 'traceresponse' | 'traceparent';
  readonly responseHeaders: HeaderCapture | undefined;
  readonly clientRequestHook: HttpTracingConfig['clientRequestHook'];
  readonly clientResponseHook: HttpTracingConfig['clientResponseHook'];
  readonly applyCustomAttributesOnSpan: HttpTracingConfig['applyCustomAttributesOnSpan'];
}

/** The method as a span's name has it. */
export function methodInName(method: string): string {
  return method === OTHER_METHOD ? 'HTTP' : method;
}
