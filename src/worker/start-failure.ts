/**
 * Why a worker does not start, as the coordinator tells it: once, however many workers fail of the same.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { ForktraceError } from '../errors.js';
import { foreignFrames } from '../process/failed-start.js';

export interface Failure {
  message: string;
  /** Of the app's own code, with its causes. */
  stack: string | undefined;
}

/** Enough to see what was behind it; a chain of causes may be a circle. */
const MOST_CAUSES = 4;

/** @param app the URL of the app's module, if it is one */
export function describeFailure(thrown: unknown, app: string | undefined): Failure {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  // What is worth seeing of a coded error is what caused it.
  const shown = error instanceof ForktraceError ? error.cause : error;
  const place = app !== undefined && isSyntaxErrorOfModule(shown) ? placeOfSyntaxError(app) : undefined;
  const stack = place === undefined ? stackWithCauses(shown) : `${place}${shown as Error}`;
  return { message: messageOf(error), stack: stack || undefined };
}

/** With the code of one of ours: the coordinator's own code goes with what it makes of it. */
function messageOf(error: Error): string {
  if (error instanceof ForktraceError) return `${error.message.replace(/\.$/, '')} (${error.code})`;
  // Node's own of a host with several addresses has none.
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

/** Of an ES module: nothing in JavaScript says where it is, though Node prints it. */
function isSyntaxErrorOfModule(error: unknown): boolean {
  return error instanceof SyntaxError && foreignFrames(error.stack) === '';
}

const CHECKED_WITHIN_MS = 3000;

/**
 * `file:///app/routes.js:12`, with that line: as another process prints it, which loads the same modules and
 * ends before it runs them.
 */
function placeOfSyntaxError(app: string): string | undefined {
  // All that is imported is compiled before the first of it runs.
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
    // The permission model.
    return undefined;
  }
}

/**
 * An error that nobody catches while the worker starts, in a timer or a rejection, is told in the same way:
 * Node would print it once for each worker.
 *
 * @param tell what is to be awaited before the process ends
 * @returns ends it: from then on Node prints
 */
export function tellUncaught(tell: (error: unknown) => Promise<void>): () => void {
  const uncaught = (error: unknown) => {
    // A listener of the app's decides.
    if (process.listenerCount('uncaughtException') > 1) return;
    // The code that Node gives.
    void tell(error).then(() => process.exit(1));
  };
  process.on('uncaughtException', uncaught);
  return () => void process.off('uncaughtException', uncaught);
}
