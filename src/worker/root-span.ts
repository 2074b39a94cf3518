import { basename } from 'node:path';
import { context, ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { PROCESS_EXIT_CODE } from '../wire/conventions.js';
import { setProcessContext } from './context-manager.js';

/**
 * One span for the whole life of the process, in whose context everything runs that has no other: a tool
 * without any instrumentation has a trace, and one with some has a single trace. What kills the process
 * interrupts it, as it does any span in flight.
 *
 * @returns ends the span, once; the exit of the process does
 */
export function openRootSpan(tracer: Tracer): () => void {
  const name = basename(process.argv[1] ?? process.title);
  // Not from the first moment of the process: what was loaded before is not the program's.
  const span = context.with(ROOT_CONTEXT, () => tracer.startSpan(name));
  setProcessContext(trace.setSpan(ROOT_CONTEXT, span));
  const crashed = (error: unknown) => span.recordException(error instanceof Error ? error : String(error));
  const end = (code?: number) => {
    if (typeof code === 'number') span.setAttribute(PROCESS_EXIT_CODE, code);
    if (code) span.setStatus({ code: SpanStatusCode.ERROR, message: `the process exited with code ${code}` });
    span.end();
    setProcessContext(ROOT_CONTEXT);
    process.off('exit', end);
    process.off('uncaughtExceptionMonitor', crashed);
  };
  process.on('uncaughtExceptionMonitor', crashed);
  process.on('exit', end);
  return () => end(typeof process.exitCode === 'number' ? process.exitCode : undefined);
}
