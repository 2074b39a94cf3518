// The app of the loss matrix, of one contestant (untraced, journal-mmap, journal-write, batch, otel), and all
// that can happen to it: a cluster of two workers, or one of the processes that pm2 runs.
import cluster from 'node:cluster';
import type { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';

const [contestant, port, otelSetup, config] = process.argv.slice(2) as [string, string, string, string];
const WORKERS = 2;
/**
 * How long a request takes that is in flight when it happens: longer than that takes, and short enough for
 * any drain.
 */
const SLOW_MS = 600;

const deeds: Record<string, () => void> = {
  'exit-0': () => process.exit(0),
  'exit-1': () => process.exit(1),
  throw: () => {
    setImmediate(() => {
      throw new Error('uncaught');
    });
  },
  reject: () => void Promise.reject(new Error('unhandled')),
  abort: () => process.abort(),
  disconnect: () => cluster.worker!.disconnect(),
  oom: () => {
    const hold: unknown[] = [];
    for (;;) hold.push(new Array(10_000).fill(0).map((_, index) => ({ index })));
  },
  block: () => {
    for (;;);
  },
};

function serve(request: IncomingMessage, response: ServerResponse): void {
  const [, what, which] = request.url!.split('/');
  if (what === 'do') {
    // What is in flight by now stays so: answers come later.
    deeds[which!]!();
    setTimeout(() => response.end(), 500);
  } else setTimeout(() => response.end(String(process.pid)), what === 'slow' ? SLOW_MS : 0);
}

if (cluster.isPrimary) {
  cluster.on('exit', (worker, code, signal) => {
    process.send?.({ died: worker.process.pid, code, signal, atMs: Date.now() });
  });
}

if (contestant !== 'otel' && contestant !== 'untraced') {
  const { startClusterWithTracing } = await import('forktrace');
  const handle = await startClusterWithTracing(() => serve, JSON.parse(config));
  if (handle.role === 'coordinator') process.send!({ pids: handle.workers().map(({ pid }) => pid) });
} else if (cluster.isPrimary) {
  const workers = Array.from({ length: WORKERS }, () => cluster.fork());
  let listening = 0;
  cluster.on('listening', () => {
    if (++listening === WORKERS) process.send!({ pids: workers.map(({ process: { pid } }) => pid) });
  });
  // Without it the workers would not hear of the signal, and OpenTelemetry could not flush.
  for (const signal of contestant === 'otel' ? (['SIGTERM', 'SIGINT'] as const) : []) {
    process.once(signal, () => {
      for (const worker of workers) worker.process.kill(signal);
      cluster.on('exit', () => {
        if (Object.keys(cluster.workers!).length === 0) process.kill(process.pid, signal);
      });
    });
  }
} else {
  const require = createRequire(otelSetup);
  if (contestant === 'otel') require(otelSetup);
  // Through require: what instrumentation-http has patched.
  const server = (require('node:http').createServer as typeof createServer)(serve);
  // pm2 waits for the word.
  server.listen(Number(port), '127.0.0.1', () => process.send!('ready'));
}
