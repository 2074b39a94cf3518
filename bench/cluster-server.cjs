// A whole cluster of one contestant: node cluster-server.cjs <contestant> <app> <workers> <port>
const cluster = require('node:cluster');
const { join } = require('node:path');

const [contestant, appName, workers, port] = process.argv.slice(2);
const startedAt = performance.now();
const app = () => require(`./apps/${appName}.cjs`)();

async function main() {
  if (contestant.startsWith('forktrace')) {
    const { startClusterWithTracing } = await import('forktrace');
    const [, pipeline, mode] = contestant.split('-');
    const handle = await startClusterWithTracing(app, {
      serviceName: 'bench',
      workers: Number(workers),
      pipeline,
      journal: { mode },
      listen: { port: Number(port), host: '127.0.0.1' },
      viewer: false,
    });
    if (handle.role !== 'coordinator') return;
    process.on('message', async (message) => {
      if (message !== 'reload') return;
      const from = performance.now();
      await handle.reload();
      process.send({ reloadMs: performance.now() - from });
    });
    process.send({ readyMs: performance.now() - startedAt });
    return;
  }
  if (cluster.isPrimary) {
    let listening = 0;
    cluster.on('listening', () => {
      listening++;
      if (listening === Number(workers)) process.send({ readyMs: performance.now() - startedAt });
    });
    for (let i = 0; i < Number(workers); i++) cluster.fork();
    process.on('SIGTERM', () => {
      for (const worker of Object.values(cluster.workers)) worker.kill('SIGTERM');
      setTimeout(() => process.exit(0), 3000);
    });
    return;
  }
  if (contestant.startsWith('otel')) require(`./${contestant}/setup.cjs`);
  else if (contestant !== 'untraced') require(join(__dirname, 'peers', `${contestant}.cjs`));
  const http = require('node:http');
  const made = await app();
  const server = made instanceof http.Server ? made : http.createServer(made);
  server.listen(Number(port), '127.0.0.1');
}

main();
