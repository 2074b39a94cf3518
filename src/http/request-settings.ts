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

/** A route's text recurs, and a name that is put together has to be hashed and compared for each request. */
const MAX_NAMES = 1024;
const names = new Map<string, { method: string; name: string }>();

/** `{method} {route}`, the same string each time for the method that a route is asked for with most. */
export function nameOfRoute(method: string, route: string): string {
  const known = names.get(route);
  if (known?.method === method) return known.name;
  const name = `${methodInName(method)} ${route}`;
  if (known === undefined && names.size < MAX_NAMES) names.set(route, { method, name });
  return name;
}
