import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { pathToFileURL } from 'node:url';
import { ownFile } from '../own-files.js';
import { hasTerminal } from '../process/has-terminal.js';
import { WAITING_TITLE } from '../process/pid-namespace.js';

/** A terminal sends them to the whole group: they have reached the program already. */
const TYPED = ['SIGINT', 'SIGQUIT'] as const;
/** Whoever sends them knows this process alone. */
const SENT = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;

/** Runs a program of any kind with the preload and a root span, and ends as it does. */
export function runTraced(program: string, args: readonly string[], service: string | undefined): void {
  // For whoever looks at processes, and for the program, which sees that this one only waits for it.
  process.title = WAITING_TITLE;
  // Options of Node.js that this process was started with are for the program.
  const nodeArgs = [...process.execArgv, '--import', pathToFileURL(ownFile('register.js')).href];
  const child = spawn(process.execPath, [...nodeArgs, program, ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      FORKTRACE_ROOT_SPAN: 'true',
      ...(service !== undefined && { OTEL_SERVICE_NAME: service }),
    },
  });
  const isTyped = hasTerminal();
  for (const signal of SENT) process.on(signal, () => child.kill(signal));
  for (const signal of TYPED) process.on(signal, () => isTyped || child.kill(signal));
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
