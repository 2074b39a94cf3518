import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';
import { ownFile } from '../own-files.js';

/** Runs a program of any kind with the preload and a root span, and ends as it does. */
export function runTraced(program: string, args: readonly string[], service: string | undefined): void {
  const child = spawn(process.execPath, ['--import', pathToFileURL(ownFile('register.js')).href, program, ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      FORKTRACE_ROOT_SPAN: 'true',
      ...(service !== undefined && { OTEL_SERVICE_NAME: service }),
    },
  });
  // A terminal signals the whole group, so Ctrl-C has reached it already; what is sent to this process alone
  // is passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    throw error;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Some signals, as PID 1 all, do not end this process.
    setTimeout(() => process.exit(128 + constants.signals[signal]), 100);
  });
}
