/**
 * `forktrace/pino`: pino writes its lines to the journal.
 *
 * @module
 */
export {
  type ForktraceDestination,
  type ForktraceDestinationOptions,
  forktraceDestination,
} from './logs/pino-destination.js';
