// node dist-examples/logs/server.js
import { startClusterWithTracing } from 'forktrace';

const cluster = await startClusterWithTracing(new URL('./app.js', import.meta.url), { serviceName: 'logs-example' });
if (cluster.role === 'coordinator') console.log(`listening on ${cluster.workers()[0]?.address}`);
