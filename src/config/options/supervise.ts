/** @module Options of the coordinator. */
import { flag, milliseconds, whole } from '../kinds.js';
import { group, option } from '../option.js';

export const supervising = {
  supervise: group('SuperviseConfig', 'How the coordinator keeps workers alive.', {
    shutdownTimeoutMs: option(milliseconds(1), {
      about:
        "How long a shutdown may take, from SIGTERM to the last worker's exit. Under pm2 it is not more than `kill_timeout`.",
      unit: 'ms',
      variable: 'FORKTRACE_SHUTDOWN_TIMEOUT',
      default: 10_000,
    }),
    readyTimeoutMs: option(milliseconds(1), {
      about: 'How long a worker may take from its fork until it is ready.',
      unit: 'ms',
      variable: 'FORKTRACE_READY_TIMEOUT',
      default: 30_000,
    }),
    backoffMinMs: option(milliseconds(0), {
      about: 'First wait before a respawn; it doubles with each failure.',
      unit: 'ms',
      default: 100,
    }),
    backoffMaxMs: option(milliseconds(0), {
      about: 'Longest wait before a respawn, at least `supervise.backoffMinMs`.',
      unit: 'ms',
      default: 10_000,
    }),
    breakerDeaths: option(whole(1), {
      about: 'How many unplanned deaths within `supervise.breakerWindowMs` open the breaker.',
      otherwise: '5 per worker',
    }),
    breakerWindowMs: option(milliseconds(1), {
      about: 'The time over which unplanned deaths are counted.',
      unit: 'ms',
      default: 30_000,
    }),
    breakerOpenMs: option(milliseconds(1), {
      about: 'How long the breaker stays open before one worker is tried.',
      unit: 'ms',
      default: 30_000,
    }),
    heartbeatTimeoutMs: option(milliseconds(0), {
      about: 'A worker whose event loop is blocked for longer is killed; 0: never.',
      unit: 'ms',
      variable: 'FORKTRACE_HEARTBEAT_TIMEOUT',
      default: 10_000,
    }),
    maxRequests: option(whole(0), {
      about: 'Recycles a worker after this many requests, with up to 10 % jitter; 0: never.',
      variable: 'FORKTRACE_MAX_REQUESTS',
      default: 0,
    }),
    maxMemory: option(whole(0), {
      about: 'Recycles a worker whose resident set is larger; 0: never.',
      unit: 'bytes',
      variable: 'FORKTRACE_MAX_MEMORY',
      default: 0,
    }),
    reloadOnSighup: option(flag, { about: 'Whether SIGHUP reloads the cluster.', default: true }),
    prefix: option(flag, {
      about: 'Puts the slot before each line that a worker writes.',
      variable: 'FORKTRACE_PREFIX',
      otherwise: '`true` on a terminal with more than one worker',
    }),
  }),
};
