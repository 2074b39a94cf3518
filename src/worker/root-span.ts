import { basename } from 'node:path';
import { context, ROOT_CONTEXT, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { exitCodeNow } from '../process/exit-code.js';
import { PROCESS_EXIT_CODE } from '../wire/conventions.js';
import { setProcessContext } from './context-manager.js';

/**
 * One span for the whole life of the process, in whose context everything runs that has no other: a tool
 * without any instrumentation has a trace, and one with some has a single trace. What kills the process
 * interrupts it, as it does any span in flight.
 *
 * @returns ends the span, once: at the exit of the process, with its code
 */
export function openRootSpan(tracer: Tracer): (code?: number) => void {
  const name = basename(process.argv[1] ?? process.title);
  // Not from the first moment of the process: what was loaded before is not the program's.
  const span = context.with(ROOT_CONTEXT, () => tracer.startSpan(name));
  setProcessContext(trace.setSpan(ROOT_CONTEXT, span));
  const crashed = (error: unknown) => span.recordException(error instanceof Error ? error : String(error));
  process.on('uncaughtExceptionMonitor', crashed);
  return (code = setExitCode()) => {
    if (code !== undefined) span.setAttribute(PROCESS_EXIT_CODE, code);
    if (code) span.setStatus({ code: SpanStatusCode.ERROR, message: `the process exited with code ${code}` });
    span.end();
    setProcessContext(ROOT_CONTEXT);
    process.off('uncaughtExceptionMonitor', crashed);
  };
}

/** What the code will be, if the app has said so: its event loop is empty. */
function setExitCode(): number | undefined {
  return process.exitCode === undefined ? undefined : exitCodeNow(0);
}
