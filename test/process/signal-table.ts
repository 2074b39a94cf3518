/**
 * How a process ends by signals that its app handles, or does not: traced as untraced, whatever the app's
 * handlers are and do.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { SignalApp, SignalHandler } from '../fixtures/signal-handlers.js';
import { fixture, runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';

type Signal = SignalHandler['signal'];

interface Case {
  handlers?: SignalHandler[];
  signalExit?: (3 | 4)[];
  /** Each is sent once the one before has been heard. @default SIGTERM */
  signals?: Signal[];
}

const term = (how: SignalHandler['how'], does: SignalHandler['does']): SignalHandler => ({
  signal: 'SIGTERM',
  how,
  does,
});
const int = (how: SignalHandler['how'], does: SignalHandler['does']): SignalHandler => ({
  signal: 'SIGINT',
  how,
  does,
});

const cases: Record<string, Case> = {
  'no handler, SIGTERM': {},
  'no handler, SIGINT': { signals: ['SIGINT'] },
  'a handler that exits': { handlers: [term('on', 'exit')] },
  'a handler that cleans up, then exits': { handlers: [term('on', 'clean up and exit')] },
  'once, asynchronous': { handlers: [term('once', 'clean up and exit')] },
  'once in front, asynchronous': { handlers: [int('prependOnce', 'clean up and exit')], signals: ['SIGINT'] },
  'in front, exits': { handlers: [int('prepend', 'exit')], signals: ['SIGINT'] },
  'once, and a second signal that nobody handles': {
    handlers: [term('once', 'clean up for long')],
    signals: ['SIGTERM', 'SIGTERM'],
  },
  'two signals, each with a handler': {
    handlers: [term('on', 'log'), int('on', 'exit')],
    signals: ['SIGTERM', 'SIGINT'],
  },
  'the same signal twice, both handled': {
    handlers: [term('on', 'log'), int('on', 'clean up and exit')],
    signals: ['SIGTERM', 'SIGTERM', 'SIGINT'],
  },
  'another signal than the one that is handled': { handlers: [term('on', 'log')], signals: ['SIGINT'] },
  'a handler that lets the event loop run empty': { handlers: [term('on', 'let go')] },
  'a handler that raises the signal again': { handlers: [term('on', 'raise again')] },
  'a handler that removes all': { handlers: [term('on', 'remove all')], signals: ['SIGTERM', 'SIGTERM'] },
  'signal-exit 3': { signalExit: [3] },
  'signal-exit 4, SIGINT': { signalExit: [4], signals: ['SIGINT'] },
  'signal-exit 3 and 4': { signalExit: [3, 4] },
  'signal-exit 4 and once': { handlers: [term('once', 'log')], signalExit: [4] },
};

const register = import.meta.resolve('forktrace/register');

interface Ending {
  /** `code signal` of the process that got the signals. */
  exit: string;
  /** What its handlers said. */
  heard: string[];
}

async function end(
  t: TestContext,
  app: SignalApp,
  signals: Signal[],
  variant: Record<string, string>,
): Promise<Ending> {
  const preloaded = app.traced && app.place === 'plain';
  const program = runProgram(t, fixture('signal-handlers'), {
    args: [JSON.stringify(app)],
    execArgv: preloaded ? ['--import', register] : [],
    env: { NODE_ENV: 'production', ...variant },
  });
  const pid = Number((await program.waitForOutput(/^ready (\d+)/m))[1]);
  const heard = () => program.stdout.split('\n').filter((line) => /^heard|^signal-exit/.test(line));
  for (const [index, signal] of signals.entries()) {
    if (index > 0) await program.waitFor(() => heard().length >= index, `signal ${index} to be heard`);
    program.kill(signal, pid);
  }
  if (app.place !== 'worker') {
    const { code, signal } = await program.waitForExit();
    return { exit: `${code} ${signal}`, heard: heard() };
  }
  const [, exit] = await program.waitForOutput(/^worker ended: (.*)$/m);
  return { exit: exit!, heard: heard() };
}

export interface Variant {
  place: SignalApp['place'];
  env?: Record<string, string>;
  /** When the app registers its handlers, before or after tracing starts. @default both, each in turn */
  when?: SignalApp['when'][];
}

const AT_ONCE = 3;
const untraced = new Map<string, Promise<Ending>>();

/** One test: every row of the table in one way of being traced. */
export function endsAsUntraced(variant: string, { place, env, when }: Variant): void {
  test(`${variant}: every combination of handlers ends as untraced`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const traced = {
      ...env,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    };
    const table = Object.entries(cases).flatMap(([name, one], index) =>
      (when ?? [index % 2 === 0 ? 'before' : 'after']).map((at) => ({ name, when: at, ...one })),
    );
    const wrong: string[] = [];
    const next = async (): Promise<void> => {
      for (let row = table.shift(); row !== undefined; row = table.shift()) {
        const { name, handlers = [], signalExit = [], signals = ['SIGTERM'] } = row;
        const app = { place, when: row.when, handlers, signalExit };
        const key = `${place}, registered ${row.when} tracing starts: ${name}`;
        if (!untraced.has(key)) untraced.set(key, end(t, { ...app, traced: false }, signals, {}));
        const wanted = await untraced.get(key)!;
        const found = await end(t, { ...app, traced: true }, signals, traced);
        if (JSON.stringify(wanted) === JSON.stringify(found)) continue;
        wrong.push(`${key}: ${JSON.stringify(found)} where untraced is ${JSON.stringify(wanted)}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
    assert.deepEqual(wrong, []);
  });
}
