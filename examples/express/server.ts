// node dist-examples/express/server.js
import { startClusterWithTracing } from 'forktrace';

// The app is a module of its own: the coordinator, which only forks, never loads it.
const cluster = await startClusterWithTracing(new URL('./app.js', import.meta.url), { serviceName: 'express-example' });
if (cluster.role === 'coordinator') console.log(`listening on ${cluster.workers()[0]?.address}`);
