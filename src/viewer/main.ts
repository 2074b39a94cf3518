/** The viewer as a process of its own, see `viewer-messages.ts`. */

import { startViewer, type ViewerOptions } from './start.js';
import { type FromViewer, parseToViewer } from './viewer-messages.js';

function report(message: FromViewer): void {
  if (process.connected) process.send?.(message, () => {});
}

// A terminal, `timeout` and service managers signal the whole process group. The parent still has spans to
// send, and ends the viewer afterwards, by closing the channel.
const hasParent = process.send !== undefined;
if (hasParent) for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});

try {
  const viewer = await startViewer(JSON.parse(process.argv[2] ?? '{}') as ViewerOptions);
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    viewer.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  if (!hasParent) for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
  process.on('disconnect', stop);
  process.on('message', (message) => {
    const told = parseToViewer(message);
    if (told !== undefined) viewer.blocked(told.workers);
  });
  if (hasParent && !process.connected) stop();
  const { url, otlpGrpcUrl, otlpHttpUrl } = viewer;
  report({ type: 'listening', url, otlpGrpcUrl, otlpHttpUrl });
} catch (error) {
  report({ type: 'failed', message: (error as Error).message });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
  else console.error(error);
}
