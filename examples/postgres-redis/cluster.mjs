// node cluster.mjs
import { startClusterWithTracing } from 'forktrace';

// The app is a module of its own: its instrumentations are in place before it is loaded.
startClusterWithTracing(process.env.APP === 'fastify' ? './fastify.mjs' : './express.mjs', {
  instrumentations: 'auto',
  listen: { port: Number(process.env.PORT), host: '127.0.0.1' },
});
