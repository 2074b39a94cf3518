import { startViewer, type ViewerOptions } from '../viewer/start.js';

/** Runs the viewer until SIGTERM or Ctrl-C. */
export async function viewer(options: ViewerOptions): Promise<void> {
  const running = await startViewer(options);
  process.stdout.write(
    `traces at ${running.url}\nOTLP at ${running.otlpGrpcUrl} (gRPC) and ${running.otlpHttpUrl} (HTTP)\n`,
  );
  await new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await running.close();
  process.exit();
}
