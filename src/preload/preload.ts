/**
 * Tracing without a change of code: nothing is built until the process listens with an HTTP server or starts a span, so that one
 * that only forks never builds anything, and its workers each build their own. Then everything is built at once, in that call.
 *
 * @module
 */
import cluster from 'node:cluster';
import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { ForktraceError } from '../errors.js';
import { watchFastify4 } from '../http/routes/fastify4.js';
import { registeredGlobal } from '../instrumentation/api-copies.js';
import { appDirectory, installedInstrumentations } from '../instrumentation/installed.js';
import { unpackPm2Environment } from '../pm2/environment.js';
import { tellPm2 } from '../pm2/ready.js';
import { describeFailedStart } from '../process/failed-start.js';
import { SLOT_VARIABLE } from '../process/slot-variables.js';
import { warn } from '../warn.js';
import { warnOfOtherSdk } from '../worker/other-sdk.js';
import type { WorkerTracing } from '../worker/start-worker.js';
import { findServers } from './find-servers.js';
import { FirstSpanProvider } from './first-span.js';
import { isLauncher } from './launcher.js';
import { recordsNothing, StandIns } from './stand-ins.js';

/** Two copies of the package, and two preloads of one, are one preload. */
const LOADED = Symbol.for('forktrace.register');

/** forktrace's own programs: the shipper, the viewer, the CLI. */
const OWN_PROGRAMS = fileURLToPath(new URL('..', import.meta.url));

/** Loads what tracing needs in the call that needs it. */
const require = createRequire(import.meta.url);

export function preload(): void {
  const global = globalThis as { [LOADED]?: true };
  if (global[LOADED]) return;
  global[LOADED] = true;
  const program = process.argv[1];
  if (isLauncher(program) || program?.startsWith(OWN_PROGRAMS)) return;
  // The coordinator's workers start tracing with the config that the app gives, before anything of it runs.
  if (cluster.isWorker && process.env[SLOT_VARIABLE] !== undefined) {
    enableInstalled();
    return;
  }

  if (registeredGlobal('trace') !== undefined) {
    warnOfOtherSdk();
    return;
  }
  enableInstalled();
  watchFastify4();
  const standIns = new StandIns();
  const firstSpan = new FirstSpanProvider(() => {
    if (standIns.replacement === undefined) start();
    return standIns.replacement ?? recordsNothing;
  });
  standIns.delegateTo(firstSpan);
  // One span for the process, which begins now.
  if (process.env.FORKTRACE_ROOT_SPAN?.toLowerCase() === 'true') start();
  findServers((server) => {
    const tracing = start();
    if (tracing === undefined) return;
    server.once('listening', () => tellPm2(tracing.identity));
    if (tracing.config.disabled) return;
    const { instrumentServer } = require('../http/trace-server.js') as typeof import('../http/trace-server.js');
    const { watchRoutes } =
      require('../http/routes/watch-routes.js') as typeof import('../http/routes/watch-routes.js');
    const { httpOptions } = require('../worker/http-options.js') as typeof import('../worker/http-options.js');
    for (const listener of (server as NodeJS.EventEmitter).listeners('request')) watchRoutes(listener);
    instrumentServer(server, () => httpOptions(tracing));
  });
}

/**
 * Before the app loads what they are for. They look for a provider at each span, so that the first one starts tracing. A process
 * that has none installed has looked into a few directories.
 */
function enableInstalled(): void {
  unpackPm2Environment(process.env);
  const { FORKTRACE_INSTRUMENTATIONS, OTEL_SDK_DISABLED } = process.env;
  if (isWord('none', FORKTRACE_INSTRUMENTATIONS) || isWord('true', OTEL_SDK_DISABLED)) return;
  const installed = installedInstrumentations(appDirectory());
  if (installed.length === 0) return;
  const { enableAutomatically } =
    require('../instrumentation/automatic.js') as typeof import('../instrumentation/automatic.js');
  try {
    enableAutomatically(installed);
  } catch (error) {
    if (error instanceof ForktraceError) stopTheStart(error);
    throw error;
  }
}

/** As config/ reads it, which is not loaded yet. */
function isWord(word: string, text: string | undefined): boolean {
  return text?.trim().toLowerCase() === word;
}

let tracing: WorkerTracing | undefined;
let failed = false;

/** undefined: it has failed, and the process runs without. */
function start(): WorkerTracing | undefined {
  if (tracing !== undefined || failed) return tracing;
  try {
    // Not in the context of the request or span that set it off: what is started here outlives it.
    tracing = context.with(ROOT_CONTEXT, startTracing);
  } catch (error) {
    if (error instanceof ForktraceError) stopTheStart(error);
    failed = true;
    // The system has no descriptor or memory left, say: the app serves on untraced.
    const { message } = error as Error;
    warn('FORKTRACE_START_FAILED', `Tracing did not start, and this process runs without: ${message}`);
  }
  return tracing;
}

function startTracing(): WorkerTracing {
  const { isTracingStarted, mustFlushAtEnd, startWorkerTracing } =
    require('../worker/start-worker.js') as typeof import('../worker/start-worker.js');
  if (isTracingStarted()) return startWorkerTracing();
  const tracing = startWorkerTracing();
  if (mustFlushAtEnd()) {
    const { flushAtEnd } = require('./flush-at-end.js') as typeof import('./flush-at-end.js');
    flushAtEnd(tracing);
  }
  return tracing;
}

/**
 * A wrong variable ends the process before it listens. Not by an error in the app's call, which may be caught there: half of the
 * app's processes would then be up, and none traced.
 */
function stopTheStart(error: ForktraceError): never {
  try {
    writeSync(2, describeFailedStart(error));
  } catch {
    // Nobody reads it.
  }
  process.exit(1);
}
