/**
 * One contestant of bench:logs in a process of its own: told how many records to log, answers with the CPU
 * time that it took, of all its threads, until they are where they go.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { context, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type DestinationStream, pino } from 'pino';
import { resolveConfig } from '#src/config/index.js';
import { encodeResource } from '#src/journal/encoder.js';
import { type Journal, openJournal } from '#src/journal/journal.js';
import { listJournal, removeFile } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment } from '#src/journal/segment-reader.js';
import { startLogs } from '#src/logs/start-logs.js';
import { forktraceDestination } from '#src/pino.js';
import { JournalTracerProvider } from '#src/tracer/provider.js';

const ATTRIBUTES = { order: 17, customer: 'c-1234', paid: true };
const TEXT = 'the order has been paid, and is on its way to the customer';
/** Of OpenTelemetry's batch processor. */
const BATCH = 512;

interface Logs {
  /** The active one. */
  span?: Span;
  log(): void;
  /** Waits until all is where it goes. */
  flush(records: number): Promise<void> | void;
  /** How many have got there since the last call; not measured. */
  taken(): number;
}

const dir = mkdtempSync(join(tmpdir(), 'bench-logs-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
const file = join(dir, 'lines');

type Logger = ReturnType<typeof pino>;
const info = (logger: Pick<Logger, 'info'>) => () => logger.info(ATTRIBUTES, TEXT);

/** Lines of a file, which are equally long. */
function toFile(destination: DestinationStream & { flush(): void }): Logs {
  const logger = pino({}, destination);
  let lineLength = 0;
  return {
    log: info(logger),
    async flush(records) {
      destination.flush();
      do {
        await sleep(1);
        lineLength ||= readFileSync(file, 'latin1').indexOf('\n') + 1;
      } while (lineLength === 0 || statSync(file).size < records * lineLength);
    },
    taken() {
      const lines = readFileSync(file, 'latin1').split('\n').length - 1;
      truncateSync(file);
      return lines;
    },
  };
}

function journal(): Journal {
  return openJournal({ dir, mode: 'mmap', resource: encodeResource({ 'service.name': 'bench' }) });
}

const LIMITS = { level: 'trace', maxPerSecond: 1e9, attributeCountLimit: 128, textLengthLimit: 65_536 } as const;

/** Stands for the shipper: without one the directory's bound would be part of what is measured. */
function deleteSealed(): void {
  for (const one of listJournal(dir)) {
    if (one.kind !== 'logs') continue;
    const segment = openSegment(one);
    if (isUnsound(segment)) continue;
    if (segment.state().sealed) removeFile(one.path);
    segment.close();
  }
}

function toJournal(log: (kept: Journal) => () => void): Logs {
  const kept = journal();
  startLogs({ ...LIMITS, redact: [], captureOutput: false }, kept, false);
  let before = 0;
  return {
    span: new JournalTracerProvider({
      // Only processors read it, and there are none.
      resource: {} as never,
      spanLog: kept,
      spanLimits: resolveConfig({ pipeline: 'journal' }, {}).spanLimits,
    })
      .getTracer('bench')
      .startSpan('request'),
    log: log(kept),
    flush() {},
    taken() {
      deleteSealed();
      const count = kept.stats().logRecords - before;
      before += count;
      return count;
    },
  };
}

/** OpenTelemetry's own, without its timer and its exporter: records become bytes in batches. */
function toOtel(log: (load: NodeJS.Require) => () => void): Logs {
  const load = createRequire(new URL('../bench/otel-2/package.json', import.meta.url));
  const { logs } = load('@opentelemetry/api-logs') as typeof import('@opentelemetry/api-logs');
  const { LoggerProvider } = load('@opentelemetry/sdk-logs');
  const { ProtobufLogsSerializer } = load('@opentelemetry/otlp-transformer');
  let records: unknown[] = [];
  let taken = 0;
  const serialize = () => {
    if (records.length > 0 && ProtobufLogsSerializer.serializeRequest(records).length > 0) taken += records.length;
    records = [];
  };
  const processor = {
    onEmit: (record: unknown) => void (records.push(record) === BATCH && serialize()),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [processor] }));
  return {
    log: log(load),
    flush: serialize,
    taken() {
      const count = taken;
      taken = 0;
      return count;
    },
  };
}

const emit = (logs: typeof import('@opentelemetry/api-logs').logs) => {
  const logger = logs.getLogger('bench');
  return () => logger.emit({ severityNumber: 9, severityText: 'info', body: TEXT, attributes: ATTRIBUTES });
};

const require = createRequire(import.meta.url);

const contestants: Record<string, () => Logs> = {
  'record, forktrace': () => toJournal(() => emit(require('@opentelemetry/api-logs').logs)),
  'record, OpenTelemetry': () => toOtel((load) => emit(load('@opentelemetry/api-logs').logs)),
  forktrace: () => toJournal(() => info(pino(forktraceDestination()))),
  file: () => toFile(pino.destination(file)),
  'file, sync': () => toFile(pino.destination({ dest: file, sync: true })),
  transport: () => toFile(pino.transport({ target: 'pino/file', options: { destination: file } })),
  OpenTelemetry: () =>
    toOtel(() => {
      const { PinoInstrumentation } = require('@opentelemetry/instrumentation-pino');
      const instrumentation = new PinoInstrumentation();
      instrumentation.enable();
      const instrumented: typeof pino = require('pino');
      return info(instrumented(instrumented.destination({ dest: '/dev/null', sync: true })));
    }),
};

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const contestant = contestants[process.argv[2]!]!();
const other = trace.wrapSpanContext({
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 1,
});
const active = trace.setSpan(ROOT_CONTEXT, contestant.span ?? other);

process.on('message', ({ records }: { records: number }) => {
  void context.with(active, async () => {
    const before = process.cpuUsage();
    for (let n = 0; n < records; n++) contestant.log();
    await contestant.flush(records);
    const { user, system } = process.cpuUsage(before);
    assert.equal(contestant.taken(), records, 'records got where they go');
    process.send!({ nanos: ((user + system) * 1000) / records });
  });
});
