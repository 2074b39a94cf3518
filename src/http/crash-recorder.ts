import { hear } from '../process/process-events.js';
import { activeRequest } from './active-request.js';
import type { ServerRequest } from './server-request.js';

let installed = false;
/** Whose handler has just thrown to the server, until Node says what. */
let throwing: ServerRequest | undefined;

/**
 * Called while an error leaves a request's handler. To catch the error and throw it again would tell more,
 * but Node prints the line that has thrown last above the stack of an uncaught error: that must be the app's.
 */
export function handlerThrows(request: ServerRequest): void {
  throwing = request;
  // Somebody else has caught it, then.
  process.nextTick(() => {
    throwing = undefined;
  });
}

/**
 * Records on its request's span what is about to end the process: an asynchronous handler's rejection, say,
 * which no caller sees. The monitor changes nothing about what Node does next. A handler that ends the
 * process after its response is out leaves a span that has ended.
 */
export function recordCrashes(): void {
  if (installed) return;
  installed = true;
  // Before the journal's own listener, which asks whose error it is.
  const threw = (error: Error) => {
    const request = throwing ?? activeRequest();
    throwing = undefined;
    request?.threw(error);
  };
  hear('uncaughtExceptionMonitor', threw, true);
  // Before the journal's own listener.
  hear('exit', () => activeRequest()?.processExits(), true);
}
