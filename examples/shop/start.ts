/**
 * `npm start`: the viewer, the payments service and the shop on 4 workers, with some load, until Ctrl-C.
 *
 *   npm start -- --requests 200 --exit    bounded: ends by itself
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { colors as pc } from '#src/cli/colors.js';
import { startViewer } from '#src/viewer/start.js';
import { storedTraceText } from '#src/viewer/store/trace-text.js';
import { TracePrinter } from '#src/viewer/trace-printer.js';
import { driveLoad } from './load.js';

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string' },
    workers: { type: 'string', default: '4' },
    port: { type: 'string' },
    exit: { type: 'boolean', default: false },
    quiet: { type: 'boolean', default: false },
    crashes: { type: 'boolean', default: true },
  },
  allowNegative: true,
});

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());

// With `--port 0` all ports are random, so that no other program's spans arrive here.
const viewer = await startViewer(options.port === '0' ? { httpPort: 0, grpcPort: 0 } : {});
const environment = {
  ...process.env,
  OTEL_EXPORTER_OTLP_ENDPOINT: viewer.otlpGrpcUrl,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  // Short, because somebody watches the traces arrive.
  OTEL_BSP_SCHEDULE_DELAY: '200',
};

const printer = options.quiet
  ? undefined
  : new TracePrinter(
      viewer.store,
      () => true,
      (trace) => storedTraceText(trace, { color: pc, width: process.stdout.columns ?? 80 }),
    );
const children: ChildProcess[] = [];
let exitCode = 0;
try {
  const payments = start('payments', environment);
  const { url: paymentsUrl } = await firstMessage<{ url: string }>(payments);
  const shop = start('server', {
    ...environment,
    PAYMENTS_URL: paymentsUrl,
    PORT: options.port ?? (await freePort(3000)),
    SHOP_WORKERS: options.workers,
  });
  const { ready: baseUrl } = await firstMessage<{ ready: string }>(shop);
  shop.once('exit', () => stop.abort());

  console.log(`${pc.bold('shop')}    ${baseUrl}  on ${options.workers} workers\n${pc.bold('viewer')}  ${viewer.url}`);
  console.log(
    pc.dim('Open the viewer and click a trace; /checkout crosses processes,\n/crash kills its worker. Ctrl-C ends.\n'),
  );

  const bounded = options.requests !== undefined;
  const result = await driveLoad({
    baseUrl,
    requests: bounded ? Number(options.requests) : Number.POSITIVE_INFINITY,
    concurrency: bounded ? 8 : 2,
    pauseMs: bounded ? 0 : 800,
    crashes: options.crashes,
    signal: stop.signal,
  });
  if (!options.exit && !stop.signal.aborted) await once(stop.signal, 'abort');
  // The shop first: while it drains it may still send payments.
  await end(shop);
  await end(payments);
  printer?.close();
  const statuses = [...result.byStatus]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${status || 'broken'}: ${count}`);
  console.log(
    `\n${result.sent} requests (${statuses.join(', ')}); ${viewer.store.spanCount} spans in ${viewer.store.traces.size} traces`,
  );
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(error);
    exitCode = 1;
  }
} finally {
  await Promise.all(children.map(end));
  printer?.close();
  await viewer.close();
}
process.exit(exitCode);

function start(name: string, env: NodeJS.ProcessEnv): ChildProcess {
  const child = fork(fileURLToPath(new URL(`./${name}.js`, import.meta.url)), { env });
  children.push(child);
  return child;
}

/** `wanted`, or 0 for any when it is taken. */
async function freePort(wanted: number): Promise<string> {
  const probe = createServer();
  try {
    await once(probe.listen(wanted, '127.0.0.1'), 'listening');
    return String(wanted);
  } catch {
    return '0';
  } finally {
    probe.close();
  }
}

async function firstMessage<T>(child: ChildProcess): Promise<T> {
  const exited = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`${child.spawnfile} ended before it was ready: ${signal ?? code}`);
  });
  const [message] = await Promise.race([once(child, 'message', { signal: stop.signal }), exited]);
  return message as T;
}

/** Both services end when their channel to this process does. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exited;
  clearTimeout(timer);
}
