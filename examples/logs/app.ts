import type { IncomingMessage, ServerResponse } from 'node:http';
import { traceFields } from 'forktrace';
import { pino } from 'pino';
import winston from 'winston';

const withPino = pino({ mixin: traceFields });

const withTrace = winston.format((info) => Object.assign(info, traceFields()));
const withWinston = winston.createLogger({
  format: winston.format.combine(withTrace(), winston.format.json()),
  transports: [new winston.transports.Console()],
});

export default function createApp() {
  return (_request: IncomingMessage, response: ServerResponse) => {
    withPino.info('hello from pino');
    withWinston.info('hello from winston');
    console.log(JSON.stringify({ message: 'hello from console', ...traceFields() }));
    response.end('hello');
  };
}
