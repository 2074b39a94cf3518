import { basename } from 'node:path';
import { getEnvironmentData, isMainThread, type Serializable, setEnvironmentData } from 'node:worker_threads';
import { context, ROOT_CONTEXT, type SpanContext, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import { exitCodeNow } from '../process/exit-code.js';
import { hear } from '../process/process-events.js';
import { PROCESS_EXIT_CODE } from '../wire/conventions.js';
import { setProcessContext } from './context-manager.js';

/** Where a process tells its threads which span is theirs, too. */
const OF_PROCESS = 'forktrace.rootSpan';

/**
 * Opens one span for the whole life of the process. Its context is active wherever no other is. A tool
 * without any instrumentation gets a trace, and one with some gets a single trace. A death of the process
 * interrupts the span, as it does any span in flight.
 *
 * A thread opens none: what a library runs in one, as tsx its compiler, ends with the process, and its end is
 * no failure. Its spans are children of the process's.
 *
 * @returns a function that ends the span once, at the exit of the process, with its exit code
 */
export function openRootSpan(tracer: Tracer): (code?: number) => void {
  if (!isMainThread) {
    const ofProcess = getEnvironmentData(OF_PROCESS) as SpanContext | undefined;
    if (ofProcess) setProcessContext(trace.setSpanContext(ROOT_CONTEXT, ofProcess));
    return () => setProcessContext(ROOT_CONTEXT);
  }
  const name = basename(process.argv[1] ?? process.title);
  // It begins now, not with the process: what was loaded before does not belong to the program.
  const span = context.with(ROOT_CONTEXT, () => tracer.startSpan(name));
  setProcessContext(trace.setSpan(ROOT_CONTEXT, span));
  const { traceId, spanId, traceFlags } = span.spanContext();
  passToThreads({ traceId, spanId, traceFlags, isRemote: true });
  const crashed = (error: unknown) => span.recordException(error instanceof Error ? error : String(error));
  const stopHearing = hear('uncaughtExceptionMonitor', crashed);
  return (code = setExitCode()) => {
    if (code !== undefined) span.setAttribute(PROCESS_EXIT_CODE, code);
    if (code) span.setStatus({ code: SpanStatusCode.ERROR, message: `the process exited with code ${code}` });
    span.end();
    setProcessContext(ROOT_CONTEXT);
    passToThreads(undefined);
    stopHearing();
  };
}

function passToThreads(span: SpanContext | undefined): void {
  setEnvironmentData(OF_PROCESS, span as unknown as Serializable);
}

/** The exit code that the app has set; called when the event loop is empty. */
function setExitCode(): number | undefined {
  return process.exitCode === undefined ? undefined : exitCodeNow(0);
}
