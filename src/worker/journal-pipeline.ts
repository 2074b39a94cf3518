import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import type { Attributes } from '@opentelemetry/api';
import { attributesSettled, schemaUrlOf } from '../config/index.js';
import type { ResolvedConfig } from '../config/resolved.js';
import type { WorkerIdentity } from '../config/types.js';
import { ExitRecorder } from '../forensics/exit-recorder.js';
import { VitalsSampler } from '../forensics/vitals-sampler.js';
import { requestCounts } from '../http/request-counts.js';
import { delivered, deliveredNow, isBehind, undelivered } from '../journal/delivery.js';
import { encodeResource } from '../journal/encoder.js';
import { type Journal, openJournal } from '../journal/journal.js';
import { type RefusedCounts, readRefused } from '../journal/refused.js';
import { withinDeadline } from '../process/deadline.js';
import { exitCodeNow } from '../process/exit-code.js';
import { endsContainer, isInContainer } from '../process/pid-namespace.js';
import { privateParent } from '../process/private-directory.js';
import { hear } from '../process/process-events.js';
import type { Resource } from '../sdk/types.js';
import { countSetAside } from '../shipper/destination.js';
import { isShipperAlive } from '../shipper/lock.js';
import { sayDestination, sayPlace } from '../shipper/say-destination.js';
import { sayLeft } from '../shipper/say-left.js';
import { JournalTracerProvider } from '../tracer/provider.js';
import { activeSpan } from './active-span.js';
import type { Pipeline } from './pipeline.js';
import { createResource, resourceAttributes } from './resource.js';
import { startShipping } from './shipping.js';
import { ownStderrFile } from './stderr-file.js';

/**
 * Milliseconds that the exit of a container's last process waits for the start of the shipper, before it
 * waits for the delivery. A start takes most of a second, and ten times that in a container that may use a
 * tenth of a core.
 */
const LAST_START_MS = 10_000;
/**
 * Milliseconds after a shutdown, or a last delivery, in which what follows belongs to it: both have one
 * deadline.
 */
const SAME_END_MS = 1000;

/**
 * Spans that are in flight when tracing is shut down are interrupted by what ends the process later. The
 * recording of that end goes on until tracing starts again.
 */
let stopRecordingFormer = () => {};

const require = createRequire(import.meta.url);

/**
 * The journal tracer, this worker's journal, and its shipping.
 *
 * @throws ForktraceError with code FORKTRACE_JOURNAL_DIR or FORKTRACE_JOURNAL_MMAP
 */
export function createJournalPipeline(
  config: ResolvedConfig,
  identity: WorkerIdentity,
  attributes: Attributes,
): Pipeline {
  const { dir, mode, segmentBytes, maxBytes, inFlight, sync, syncIntervalMs } = config.journal;
  const settled = attributesSettled(config.resource);
  const stderr = ownStderrFile(config, identity);
  let place = dir;
  const journal = openJournal({
    dir,
    mode,
    segmentBytes,
    maxBytes,
    inFlight,
    sync,
    syncIntervalMs,
    resource: encodeResource(attributes),
    schemaUrl: schemaUrlOf(config.resource),
    isResourcePending: settled !== undefined,
    slot: identity.slot,
    renewed(writerId, now) {
      if (now === place) return sayPlace(now, writerId, config.export, stderr);
      place = now;
      unsay.push(sayDestination(now, writerId, config.export, hasUnshipped, stderr));
      shipping.goTo(now);
    },
    dirOfUser: () => join(privateParent().dir, basename(dir)),
  });
  /** With all attributes, or at the end of the process with those that are known by then. */
  const useResource = () => settled && journal.useResource(encodeResource(resourceAttributes(config, identity)));
  void settled?.then(useResource);
  const hasUnshipped = () => isBehind(journal);
  const unsay = [sayDestination(dir, journal.writerId, config.export, hasUnshipped, stderr)];
  let resource: Resource | undefined;
  const tracerProvider = new JournalTracerProvider({
    get resource() {
      resource ??= createResource(config, attributes);
      return resource;
    },
    spanLog: journal,
    deliver: (timeoutMs) => delivered(journal, timeoutMs, 'spans'),
    spanLimits: config.spanLimits,
    idGenerator: config.idGenerator,
    spanProcessors: config.spanProcessors,
    sampler: samplerOf(config),
  });
  /** By the writer id at the time of the refusal: a writer that was taken for dead gets another id. */
  const refusedBy = new Map<string, RefusedCounts>();
  const refused = () => {
    refusedBy.set(journal.writerId, readRefused(journal.dir, journal.writerId));
    const sums = new Map<string, number>();
    for (const counts of refusedBy.values())
      for (const [type, spans] of Object.entries(counts)) sums.set(type, (sums.get(type) ?? 0) + spans);
    return sums;
  };
  const shipping = startShipping(config, identity);
  // Makes the file for the exit record now. At the end of the process that would take more than a
  // millisecond.
  journal.vitals();
  stopRecordingFormer();
  // A coordinator waits itself for what its workers have left.
  const isLast = identity.slot === undefined && endsContainer() && config.ship === 'process';
  const { endTimeoutMs } = config.journal;
  /** The last shutdown or delivery: until when it could wait, and when it was over. */
  let end = { until: 0, overAt: Number.NEGATIVE_INFINITY };
  let hasSaidLeft = false;
  /** All else ends with this process, the shipper too: what is in flight is delivered before that as well. */
  const deliverLast = () => {
    const { inFlight } = journal.stats();
    journal.close();
    if (inFlight > 0) {
      const { interruptOwn } = require('../shipper/interrupt-own.js') as typeof import('../shipper/interrupt-own.js');
      interruptOwn(journal.dir, journal.writerId);
    }
    const now = performance.now();
    const isBegun = now - end.overAt < SAME_END_MS;
    const until = isBegun ? end.until : now + endTimeoutMs;
    const shipper = { runs: () => isShipperAlive(journal.dir), startMs: isBegun ? 0 : LAST_START_MS };
    const isDelivered = deliveredNow(journal, Math.max(0, until - now), true, shipper);
    end = { until, overAt: performance.now() };
    if (isDelivered || hasSaidLeft) return;
    hasSaidLeft = true;
    sayLeft(journal.dir, `the container ends, and there was no more time to deliver (journal.endTimeoutMs)`);
  };
  let hasLooked = false;
  const exit = new ExitRecorder(
    () => journal.vitals(),
    (ends) => (ends && isLast ? deliverLast() : journal.flush()),
    activeSpan,
  );
  // First of the listeners, because one of the app's may end the process before the journal is closed.
  const recordExit = (code: number) => exit.record(exitCodeNow(code));
  const stopHearing = hear('exit', recordExit);
  const stopRecording = () => {
    stopHearing();
    exit.stop();
  };
  const stopHeapWatch = config.forensics.heapOutOfMemory ? startHeapWatch(exit) : () => {};
  const stopVitals = startVitals(journal, identity.slot === undefined ? TOOL_ENDS_WITHIN_MS : 0);
  return {
    journal,
    tracerProvider,
    counts: tracerProvider.counts,
    // Spans that were set aside have left the journal, and wait in another file.
    undelivered: () => undelivered(journal) + countSetAside(dir, (id) => id === journal.writerId || refusedBy.has(id)),
    refused,
    outlivesProcess: config.ship === 'process',
    stats() {
      const { spans, lost } = journal.stats();
      return { spansJournaled: spans, spansLost: lost.total };
    },
    forceFlush: (timeoutMillis) => tracerProvider.forceFlush({ timeoutMillis }).catch(() => false),
    async shutdown(timeoutMs) {
      const until = performance.now() + timeoutMs;
      await tracerProvider.shutdown().catch(reported);
      stopVitals();
      stopHeapWatch();
      if (settled) await withinDeadline(settled, timeoutMs / 2);
      useResource();
      // In a container, undelivered spans may be lost with this process; with PID 1 also those of jobs that
      // it has run.
      if (isInContainer()) await delivered(journal, timeoutMs, 'both', isLast);
      const { inFlight } = journal.stats();
      journal.close();
      await shipping.stop();
      if (inFlight === 0) stopRecording();
      else stopRecordingFormer = stopRecording;
      // After the listener that records the end.
      if (inFlight > 0 && isLast) process.once('exit', deliverLast);
      for (const end of unsay) end();
      end = { until, overAt: performance.now() };
    },
    // Requests that are in flight now stay in the table, and become interrupted spans.
    flushSync(code, isLastCall) {
      exit.record(code);
      useResource();
      if (isLast) deliverLast();
      else if (isLastCall) journal.close();
      else journal.flush();
      if (!hasLooked) shipping.lookAgain();
      hasLooked = true;
    },
  };
}

/** Loaded only here, because few configurations use it. */
function startHeapWatch(exit: ExitRecorder): () => void {
  const { watchHeap } = require('../forensics/heap-watch.js') as typeof import('../forensics/heap-watch.js');
  return watchHeap((found) => exit.ranOutOfHeap(found));
}

/**
 * The default sampler needs no object: the tracer decides without a call, and the SDK's samplers are not
 * loaded.
 */
function samplerOf({ sampler }: ResolvedConfig) {
  if ('shouldSample' in sampler) return sampler;
  if (sampler.name === 'parentbased_always_on') return undefined;
  return (require('./sampler.js') as typeof import('./sampler.js')).createSampler(sampler);
}

/** Milliseconds. A process that ends sooner leaves no vitals, only how it ended. */
const TOOL_ENDS_WITHIN_MS = 1000;

/** The first requests of a worker may be its last: a leak can fill a small heap within a second. */
function startVitals(journal: Journal, afterMs: number): () => void {
  let sampler: VitalsSampler | undefined;
  const timer = setTimeout(() => {
    const vitals = journal.vitals();
    if (vitals === undefined) return;
    sampler = new VitalsSampler(vitals, () => ({ ...requestCounts, spans: journal.stats().spans }));
    sampler.sample();
  }, afterMs).unref();
  return () => {
    clearTimeout(timer);
    sampler?.stop();
  };
}

/** A span processor of the user's reports its failures itself. */
function reported(): void {}
