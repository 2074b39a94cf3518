/**
 * Why a worker does not start, in the words of the coordinator's message. The message is printed once,
 * however many workers fail for the same reason.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { ForktraceError } from '../errors.js';
import { foreignFrames } from '../process/failed-start.js';

export interface Failure {
  message: string;
  /** The stack in the app's own code, with its causes. */
  stack: string | undefined;
}

/** Enough to see the reasons; a chain of causes may be circular. */
const MOST_CAUSES = 4;

/** @param app the URL of the app's module, if it is one */
export function describeFailure(thrown: unknown, app: string | undefined): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  // For an error with a code of ours, its cause is the interesting part.
  const shown = error instanceof ForktraceError ? error.cause : error;
  const place = app !== undefined && isSyntaxErrorOfModule(shown) ? placeOfSyntaxError(app) : undefined;
  const stack = place === undefined ? stackWithCauses(shown) : `${place}${shown as Error}`;
  return { message: messageOf(error), stack: stack || undefined };
}

/** With the code of a ForktraceError, because the coordinator's own error has another code. */
function messageOf(error: Error): string {
  if (error instanceof ForktraceError) return `${error.message.replace(/\.$/, '')} (${error.code})`;
  // Node's error about a host with several addresses has an empty message.
  if (error.message !== '') return error.message;
  const { errors = [], code } = error as AggregateError & NodeJS.ErrnoException;
  return errors.map((one) => (one as Error)?.message).join('; ') || (code ?? error.name);
}

function stackWithCauses(shown: unknown): string {
  if (!(shown instanceof Error)) return '';
  const stacks = [foreignFrames(shown.stack)];
  for (let { cause } = shown; cause instanceof Error && stacks.length <= MOST_CAUSES; { cause } = cause) {
    stacks.push(`[cause]: ${foreignFrames(cause.stack) || `${cause.name}: ${messageOf(cause)}`}`);
  }
  return stacks.filter(Boolean).join('\n');
}

/** Whether it is a syntax error in an ES module. Node prints its place, but JavaScript cannot read it. */
function isSyntaxErrorOfModule(error: unknown): boolean {
  return error instanceof SyntaxError && foreignFrames(error.stack) === '';
}

const CHECKED_WITHIN_MS = 3000;

/**
 * `file:///app/routes.js:12` with the line of code. Another process finds it: it loads the same modules,
 * prints the place, and ends before it runs them.
 */
function placeOfSyntaxError(app: string): string | undefined {
  // All imported modules are compiled before the first one runs.
  const program = `import 'data:text/javascript,process.exit()'; import ${JSON.stringify(app)};`;
  const { NODE_CHANNEL_FD, NODE_UNIQUE_ID, ...env } = process.env;
  try {
    const { stderr } = spawnSync(process.execPath, [...process.execArgv, '--input-type=module', '-e', program], {
      env: { ...env, OTEL_SDK_DISABLED: 'true' },
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      timeout: CHECKED_WITHIN_MS,
    });
    const place = /^\S+:\d+\n[\s\S]*?(?=^SyntaxError: )/m.exec(stderr)?.[0];
    return place?.replace(/\n{2,}/g, '\n');
  } catch {
    // The permission model forbids it.
    return undefined;
  }
}

/**
 * Reports an error that nobody catches while the worker starts, in a timer or a rejection, in the same way.
 * Node would print it once for each worker.
 *
 * @param tell reports the error; awaited before the process ends
 * @returns a function that ends this, so that Node prints such errors again
 */
export function tellUncaught(tell: (error: unknown) => Promise<void>): () => void {
  const uncaught = (error: unknown) => {
    // The app has a listener, which decides.
    if (process.listenerCount('uncaughtException') > 1) return;
    // The exit code that Node gives.
    void tell(error).then(() => process.exit(1));
  };
  process.on('uncaughtException', uncaught);
  return () => void process.off('uncaughtException', uncaught);
}
