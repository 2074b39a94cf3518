/**
 * Tracing without a change of code: nothing is built until the process listens with an HTTP server, starts a
 * span or logs, so that one that only forks never builds anything, and its workers each build their own. Then
 * everything is built at once, in that call.
 *
 * What this file imports is paid for by every process that inherits the preload: nothing of it loads the
 * OpenTelemetry API.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { ForktraceError } from '../errors.js';
import { watchFastifyInstances } from '../http/routes/fastify-instances.js';
import { yieldInstrumentation } from '../instrumentation/enabled.js';
import { appDirectory, installedInstrumentations } from '../instrumentation/installed.js';
import { standInForLogs } from '../logs/logs-api.js';
import { unpackPm2Environment } from '../pm2/environment.js';
import { shareWithThreads } from '../process/announce.js';
import { isMainRealm, requireInMainRealm } from '../process/main-realm.js';
import { SLOT_VARIABLE } from '../process/slot-variables.js';
import { watchChildren } from '../process/watch-children.js';
import { otherPreload, warnOfOtherSdk } from '../worker/other-sdk.js';
import { beforeApiUse, isProviderRegistered } from './api-use.js';
import { findServers } from './find-servers.js';
import { isLauncher } from './launcher.js';
import { sayStartFailed } from './start-failed.js';
import { stopTheStart } from './stop-the-start.js';

/** Two copies of the package, and two preloads of one, are one preload. */
const LOADED = Symbol.for('forktrace.register');

/** forktrace's own programs: the shipper, the viewer, the CLI. */
const OWN_PROGRAMS = fileURLToPath(new URL('..', import.meta.url));

/** Loads what tracing needs in the call that needs it. */
const require = requireInMainRealm(import.meta.url);

/** @param realm the `globalThis` of whoever imports it */
export function preload(realm: object = globalThis): void {
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
  // The coordinator's workers start tracing with the config that the app gives, before anything of it runs.
  if (isCoordinatorsWorker()) {
    standInForLogs();
    enableInstalled();
    return;
  }

  // One that comes later would enable the same instrumentations once more: each of their spans would be there
  // twice.
  if (isProviderRegistered() || otherPreload() !== undefined) {
    warnOfOtherSdk();
    return;
  }
  shareWithThreads();
  watchChildren();
  beforeApiUse({ first: standIn, unserved: start });
  standInForLogs(mayKeepLogs() ? () => void start() : undefined);
  enableInstalled();
  watchFastifyInstances();
  // One span for the process, which begins now.
  if (process.env.FORKTRACE_ROOT_SPAN?.toLowerCase() === 'true') start();
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

function standIn(): void {
  unlessItFails(() => {
    const { standIn } = require('./stand-in.js') as typeof import('./stand-in.js');
    standIn(start, replaced);
  });
}

/**
 * An SDK that the app starts in its code has come before us: forktrace traces nothing, so that nothing is
 * doubled.
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

/** Files of the package are being loaded: an instrumentation of `fs` makes spans of that, too. */
let isLoading = false;

function loaded<T>(load: () => T): T {
  isLoading = true;
  try {
    return load();
  } finally {
    isLoading = false;
  }
}

/** @returns false while it starts: this is a call of the start's own, then */
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
 * What is loaded in a call of the app's may need a descriptor that there is none of: the call goes on
 * without.
 */
function unlessItFails(load: () => void): void {
  try {
    load();
  } catch (error) {
    sayStartFailed(error);
  }
}

/** For another realm, which has just used the API. */
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
 * Before the app loads what they are for. They look for a provider at each span, so that the first one starts
 * tracing. A process that has none installed has looked into a few directories.
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

/**
 * Whether a log record is reason enough to start: not where logs are off because nobody has asked for them.
 */
function mayKeepLogs(): boolean {
  const { NODE_ENV, OTEL_LOGS_EXPORTER, FORKTRACE_LOGS, FORKTRACE_CONFIG_FILE } = process.env;
  return NODE_ENV !== 'production' || Boolean(OTEL_LOGS_EXPORTER ?? FORKTRACE_LOGS ?? FORKTRACE_CONFIG_FILE);
}

/** As config/ reads it, which is not loaded yet. */
function isWord(word: string, text: string | undefined): boolean {
  return text?.trim().toLowerCase() === word;
}
