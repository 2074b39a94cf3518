/**
 * Tracing without a change of code. Nothing is built until the process listens with an HTTP server, starts a
 * span or logs. Then everything is built at once, within that call. A process that only forks builds nothing,
 * and each of its workers builds its own tracing.
 *
 * Every process that inherits the preload pays for the imports of this file, so none of them loads the
 * OpenTelemetry API.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort } from 'node:worker_threads';
import { ForktraceError } from '../errors.js';
import { watchFastifyInstances } from '../http/routes/fastify-instances.js';
import { yieldInstrumentation } from '../instrumentation/enabled.js';
import { appDirectory, installedInstrumentations } from '../instrumentation/installed.js';
import { standInForLogs } from '../logs/logs-api.js';
import { unpackPm2Environment } from '../pm2/environment.js';
import { shareWithThreads } from '../process/announce.js';
import { isMainRealm, requireInMainRealm } from '../process/main-realm.js';
import { hearInEmit } from '../process/process-events.js';
import { SLOT_VARIABLE } from '../process/slot-variables.js';
import { watchChildren } from '../process/watch-children.js';
import { otherPreload, warnOfOtherSdk } from '../worker/other-sdk.js';
import { beforeApiUse, isProviderRegistered } from './api-use.js';
import { findServers } from './find-servers.js';
import { isLauncher } from './launcher.js';
import { offerApi } from './offer-api.js';
import { sayStartFailed } from './start-failed.js';
import { stopTheStart } from './stop-the-start.js';

/**
 * Marks the process as preloaded: a second copy of the package, or a second preload of the same one, does
 * nothing.
 */
const LOADED = Symbol.for('forktrace.register');

/** forktrace's own programs: the shipper, the viewer, the CLI. */
const OWN_PROGRAMS = fileURLToPath(new URL('..', import.meta.url));

/** Loads the parts that tracing needs, in the call that needs them. */
const require = requireInMainRealm(import.meta.url);

/** @param realm the `globalThis` of the code that imports the preload */
export function preload(realm: object = globalThis): void {
  // The thread of Node's module hooks runs what `--require` names, and cannot register hooks itself.
  if (!isMainThread && parentPort === null) return;
  if (!isMainRealm) {
    const { preload } = require('./preload.js') as typeof import('./preload.js');
    preload(realm);
    return;
  }
  if (realm !== globalThis) {
    const { joinRealm } = require('../worker/join-realm.js') as typeof import('../worker/join-realm.js');
    joinRealm(realm, startIfNeeded);
  }
  const global = globalThis as { [LOADED]?: true };
  if (global[LOADED]) return;
  global[LOADED] = true;
  const program = process.argv[1];
  if (isLauncher(program) || program?.startsWith(OWN_PROGRAMS)) return;
  hearInEmit();
  // The coordinator's workers start tracing with the config from the app's code, before the app is loaded.
  if (isCoordinatorsWorker()) {
    standInForLogs();
    enableInstalled();
    return;
  }

  // A later preload would enable the same instrumentations again, and each of their spans would be recorded
  // twice.
  if (isProviderRegistered() || otherPreload() !== undefined) {
    warnOfOtherSdk();
    return;
  }
  shareWithThreads();
  watchChildren();
  offerApi(require.cache, OWN_PROGRAMS.slice(0, -1), loadApi);
  beforeApiUse({ first: standIn, serves, unserved: start });
  standInForLogs(mayKeepLogs() ? () => void start() : undefined);
  enableInstalled();
  watchFastifyInstances();
  // With this variable the process has one span of its own, which begins now.
  if (isMainThread && process.env.FORKTRACE_ROOT_SPAN?.toLowerCase() === 'true') start();
  findServers((server) =>
    unlessItFails(() => {
      if (staysOut) return;
      const { traceFoundServer } = loaded(
        () => require('./trace-found-server.js') as typeof import('./trace-found-server.js'),
      );
      traceFoundServer(server);
    }),
  );
}

function loadApi(): void {
  try {
    loaded(() => require('../api.cjs'));
  } catch {
    // The app loads it itself, and finds out why that fails.
  }
}

function standIn(): void {
  unlessItFails(() => {
    const { standIn } = require('./stand-in.js') as typeof import('./stand-in.js');
    standIn(start, replaced);
  });
}

function serves(file: string): boolean {
  let isServed = true;
  unlessItFails(() => {
    isServed = (require('./stand-in.js') as typeof import('./stand-in.js')).serves(file);
  });
  return isServed;
}

/**
 * An SDK that the app's code has started came first. forktrace then traces nothing, so that no span is
 * recorded twice.
 */
let staysOut = false;

function replaced(): void {
  if (staysOut || isStartedOrStarting()) return;
  staysOut = true;
  yieldInstrumentation();
  warnOfOtherSdk();
}

function isStartedOrStarting(): boolean {
  const once = loaded(() => require('./start-once.js') as typeof import('./start-once.js'));
  return once.isStartedOrStarting();
}

/** Files of the package are being loaded. An instrumentation of `fs` makes spans of these reads, too. */
let isLoading = false;

function loaded<T>(load: () => T): T {
  isLoading = true;
  try {
    return load();
  } finally {
    isLoading = false;
  }
}

/** @returns false while tracing is being started: this call then comes from the start itself */
function start(): boolean {
  if (staysOut) return true;
  if (isLoading) return false;
  let isStarting = false;
  unlessItFails(() => {
    const once = loaded(() => require('./start-once.js') as typeof import('./start-once.js'));
    once.startOnce();
    isStarting = once.isStarting();
  });
  return !isStarting;
}

/**
 * Loading may fail within a call of the app, when no file descriptor is left. The app's call goes on without
 * tracing.
 */
function unlessItFails(load: () => void): void {
  try {
    load();
  } catch (error) {
    sayStartFailed(error);
  }
}

/** Called by the preload of another realm whose code has just used the API. */
function startIfNeeded(): void {
  if (!isProviderRegistered()) start();
}

function isCoordinatorsWorker(): boolean {
  return (
    process.env[SLOT_VARIABLE] !== undefined &&
    (require('node:cluster') as typeof import('node:cluster').default).isWorker
  );
}

/**
 * Enables the installed instrumentations before the app loads what they instrument. They look up the provider
 * at each span, so that the first span starts tracing. A process without any has only read a few directories.
 */
function enableInstalled(): void {
  unpackPm2Environment(process.env);
  const { FORKTRACE_INSTRUMENTATIONS, OTEL_SDK_DISABLED } = process.env;
  if (isWord('none', FORKTRACE_INSTRUMENTATIONS) || isWord('true', OTEL_SDK_DISABLED)) return;
  const installed = installedInstrumentations(appDirectory());
  if (installed.length === 0) return;
  if (process.features.require_module === false) {
    // What enables them is an ES module.
    staysOut = true;
    sayStartFailed({ code: 'ERR_REQUIRE_ESM' });
    return;
  }
  const { enableAutomatically } =
    require('../instrumentation/automatic.js') as typeof import('../instrumentation/automatic.js');
  try {
    enableAutomatically(installed);
  } catch (error) {
    if (error instanceof ForktraceError) stopTheStart(error);
    throw error;
  }
}

/** Whether a log record may start tracing. It may not where logs are off by default. */
function mayKeepLogs(): boolean {
  const { NODE_ENV, OTEL_LOGS_EXPORTER, FORKTRACE_LOGS, FORKTRACE_CONFIG_FILE } = process.env;
  return NODE_ENV !== 'production' || Boolean(OTEL_LOGS_EXPORTER ?? FORKTRACE_LOGS ?? FORKTRACE_CONFIG_FILE);
}

/** Reads a variable as config/ does, which is not loaded yet. */
function isWord(word: string, text: string | undefined): boolean {
  return text?.trim().toLowerCase() === word;
}
