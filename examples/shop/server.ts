// `node server.js` forks the workers, and in each of them serves the app.
import { createRequire } from 'node:module';
import { startClusterWithTracing } from 'forktrace';

const require = createRequire(import.meta.url);

const cluster = await startClusterWithTracing(new URL('./app.js', import.meta.url), {
  serviceName: 'shop',
  workers: Number(process.env.SHOP_WORKERS ?? 4),
  listen: { host: '127.0.0.1', port: Number(process.env.PORT ?? 3000) },
  // Each worker's event loop, for its lane in the viewer.
  metrics: { intervalMs: 2000 },
  // Loaded where it is called: in a worker, not in the primary.
  instrumentations: () => {
    const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici');
    return [new UndiciInstrumentation()];
  },
});

if (cluster.role === 'coordinator') {
  process.send?.({ ready: cluster.workers().map(({ address }) => address)[0] });
  // Ends with `npm start`, which started it.
  process.once('disconnect', () => void cluster.shutdown());
}
