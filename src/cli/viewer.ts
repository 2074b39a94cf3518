import { setFlagsFromString } from 'node:v8';
import { startViewer, type Viewer, type ViewerOptions } from '../viewer/start.js';
import type { Trace } from '../viewer/store/trace.js';
import { storedTraceText } from '../viewer/store/trace-text.js';
import { TracePrinter } from '../viewer/trace-printer.js';
import { traceFilter } from '../viewer/views/trace-filter.js';
import { traceAsOtlp } from '../viewer/views/trace-view.js';
import { print } from './arguments.js';
import { colors as pc } from './colors.js';

/** Of a terminal that does not say. */
const DEFAULT_COLUMNS = 80;

/**
 * For a process that runs already, what {@link VIEWER_EXEC_ARGV} is for one that is started: its young
 * generation grows no more, and its heap is collected before it has grown by more than a fifth.
 */
const SMALL_HEAP = ['--semi-space-growth-factor=1', '--heap-growing-percent=20'];

interface Options extends ViewerOptions {
  /** Bytes. */
  fileMax?: number;
  /** Prints each trace as a tree. */
  text?: boolean;
  /** Which of them, in the language of the page's filter. */
  filter?: string;
  /** Addresses and traces as JSON. */
  json?: boolean;
}

/** Runs the viewer until SIGTERM or Ctrl-C; with `text` each trace is printed as well. */
export async function viewer({ text = false, filter, json = false, fileMax, ...options }: Options): Promise<void> {
  for (const flag of SMALL_HEAP) setFlagsFromString(flag);
  const running = await startViewer({ ...options, fileMaxBytes: fileMax });
  const { url, otlpGrpcUrl, otlpHttpUrl } = running;
  print({ url, otlpGrpcUrl, otlpHttpUrl }, addressesText(running), { json });
  const printer =
    text || filter !== undefined
      ? new TracePrinter(
          running.store,
          traceFilter(new URLSearchParams({ q: filter ?? '' })),
          json
            ? asJson
            : (trace) => storedTraceText(trace, { color: pc, width: process.stdout.columns ?? DEFAULT_COLUMNS }),
        )
      : undefined;
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    if (printer !== undefined && !json) listenForKeys(printer, resolve);
  });
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  printer?.close();
  await running.close();
  process.exit();
}

function addressesText({ url, otlpGrpcUrl, otlpHttpUrl }: Viewer): string {
  return [
    `traces at ${url}`,
    `OTLP at ${otlpGrpcUrl} (gRPC) and ${otlpHttpUrl} (HTTP)`,
    'from any language, for any OpenTelemetry SDK:',
    `  OTEL_EXPORTER_OTLP_ENDPOINT=${otlpHttpUrl}`,
    '  OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
  ].join('\n');
}

function asJson(trace: Trace): string {
  return JSON.stringify(traceAsOtlp(trace, undefined, false));
}

/** Space holds the output still. In raw mode Ctrl-C is a key, too. */
function listenForKeys(printer: TracePrinter, stop: () => void): void {
  const { stdin } = process;
  if (!stdin.isTTY) return;
  stdin.setRawMode(true);
  stdin.on('data', (keys: Buffer) => {
    for (const key of keys.toString('utf8')) {
      if (key === '\u0003' || key === 'q') stop();
      else if (key === ' ') {
        printer.paused = !printer.paused;
        process.stdout.write(pc.dim(printer.paused ? '(paused; space goes on)\n' : ''));
      }
    }
  });
}
