import { activeRequest } from './active-request.js';

let installed = false;

/**
 * Records on its request's span what is about to end the process: an asynchronous handler's rejection, say,
 * which no caller sees. The monitor changes nothing about what Node does next. A handler that ends the
 * process after its response is out leaves a span that has ended.
 */
export function recordCrashes(): void {
  if (installed) return;
  installed = true;
  process.on('uncaughtExceptionMonitor', (error) => activeRequest()?.threw(error));
  // Before the journal's own listener.
  process.prependListener('exit', () => activeRequest()?.processExits());
}
