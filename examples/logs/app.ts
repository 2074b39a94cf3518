import type { IncomingMessage, ServerResponse } from 'node:http';
import { traceFields } from 'forktrace';
import { forktraceDestination } from 'forktrace/pino';
import { pino } from 'pino';
import winston from 'winston';

/** Each line is a log record of its trace, which is kept even if the worker is killed in the next instant. */
const logger = pino(forktraceDestination());

// Without exporting logs: lines on standard output with the ids of their trace.
const withPino = pino({ mixin: traceFields });

const withTrace = winston.format((info) => Object.assign(info, traceFields()));
const withWinston = winston.createLogger({
  format: winston.format.combine(withTrace(), winston.format.json()),
  transports: [new winston.transports.Console()],
});

export default function createApp() {
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/killed') {
      logger.fatal({ reason: 'to see what is left' }, 'the last words');
      process.kill(process.pid, 'SIGKILL');
      return;
    }
    withPino.info('hello from pino');
    withWinston.info('hello from winston');
    console.log(JSON.stringify({ message: 'hello from console', ...traceFields() }));
    response.end('hello');
  };
}
