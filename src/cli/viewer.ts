import { startViewer, type ViewerOptions } from '../viewer/start.js';
import { TracePrinter } from '../viewer/trace-printer.js';
import { traceFilter } from '../viewer/views/trace-filter.js';
import { colors as pc } from './colors.js';

/** Of a terminal that does not say. */
const DEFAULT_COLUMNS = 80;

interface Options extends ViewerOptions {
  /** Prints each trace as a tree. */
  text?: boolean;
  /** Which of them, in the language of the page's filter. */
  filter?: string;
}

/** Runs the viewer until SIGTERM or Ctrl-C; with `text` each trace is printed as well. */
export async function viewer({ text = false, filter, ...options }: Options): Promise<void> {
  const running = await startViewer(options);
  process.stdout.write(
    [
      `traces at ${running.url}`,
      `OTLP at ${running.otlpGrpcUrl} (gRPC) and ${running.otlpHttpUrl} (HTTP)`,
      'from any language, for any OpenTelemetry SDK:',
      `  OTEL_EXPORTER_OTLP_ENDPOINT=${running.otlpHttpUrl}`,
      '  OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
      '',
    ].join('\n'),
  );
  const printer =
    text || filter !== undefined
      ? new TracePrinter(running.store, {
          color: pc,
          width: process.stdout.columns ?? DEFAULT_COLUMNS,
          wanted: traceFilter(new URLSearchParams({ q: filter ?? '' })),
        })
      : undefined;
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    if (printer !== undefined) listenForKeys(printer, resolve);
  });
  if (process.stdin.isTTY) process.stdin.setRawMode(false);
  printer?.close();
  await running.close();
  process.exit();
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
