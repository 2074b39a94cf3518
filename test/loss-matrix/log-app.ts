// Logs LINES lines in one way, and ends in the next statement in another. Arguments: the way, the end, where
// lines go that go to a file, OpenTelemetry's set-up.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { killAsOthersDo } from '../fixtures/kill-as-others-do.js';
import { LINES } from './log-lines.js';

const [contestant, end, file, otelSetup] = process.argv.slice(2) as [string, string, string, string];

type Log = (text: string) => void;

const loggers: Record<string, () => Promise<Log> | Log> = {
  async forktrace() {
    const { forktraceDestination } = await import('forktrace/pino');
    const logger = pino(forktraceDestination());
    return (text) => logger.info(text);
  },
  file() {
    const logger = pino(pino.destination(file));
    return (text) => logger.info(text);
  },
  'file, sync'() {
    const logger = pino(pino.destination({ dest: file, sync: true }));
    return (text) => logger.info(text);
  },
  transport() {
    const logger = pino(pino.transport({ target: 'pino/file', options: { destination: file } }));
    return (text) => logger.info(text);
  },
  pm2: () => console.log,
  otel() {
    const require = createRequire(otelSetup);
    require(otelSetup);
    const { logs } = require('@opentelemetry/api-logs') as typeof import('@opentelemetry/api-logs');
    const logger = logs.getLogger('app');
    return (body) => logger.emit({ severityNumber: 9, body });
  },
};

const ends: Record<string, () => void> = {
  empty() {},
  exit: () => process.exit(0),
  throw: () => {
    setImmediate(() => {
      throw new Error('uncaught');
    });
  },
  reject: () => void Promise.reject(new Error('unhandled')),
  abort: () => process.abort(),
  oom() {
    const hold: unknown[] = [];
    for (;;) hold.push(new Array(10_000).fill(0).map((_, index) => ({ index })));
  },
  SIGTERM() {
    process.kill(process.pid, 'SIGTERM');
    setInterval(() => {}, 1000);
  },
  SIGKILL: () => void killAsOthersDo('SIGKILL'),
};

const log = await loggers[contestant]!();
log('begins');
// Worker threads, connections and shippers are there: what is measured is the end.
await sleep(1000);
for (let n = 0; n < LINES; n++) log(`line ${n}`);
ends[end]!();
