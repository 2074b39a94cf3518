import { startViewer, type ViewerOptions } from '../viewer/start.js';
import { TracePrinter } from '../viewer/trace-printer.js';
import { colors as pc } from './colors.js';

/** Runs the viewer until SIGTERM or Ctrl-C; with `text` each trace is printed as well. */
export async function viewer({ text = false, ...options }: ViewerOptions & { text?: boolean }): Promise<void> {
  const running = await startViewer(options);
  process.stdout.write(
    `traces at ${running.url}\nOTLP at ${running.otlpGrpcUrl} (gRPC) and ${running.otlpHttpUrl} (HTTP)\n`,
  );
  const printer = text
    ? new TracePrinter(running.store, { color: pc, width: process.stdout.columns ?? 120 })
    : undefined;
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  printer?.close();
  await running.close();
  process.exit();
}
