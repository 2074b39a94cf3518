// One contestant serving one app, in a process of its own: node server.cjs <contestant> <app>
// Tells the parent its port, and its CPU time and memory when asked.
const { join } = require('node:path');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { getHeapSpaceStatistics } = require('node:v8');

const [contestant, appName] = process.argv.slice(2);
// OpenTelemetry's instrumentations of the packages that the app uses, the same for all who take them.
process.env.BENCH_INSTRUMENTATIONS =
  appName === 'postgres-redis' ? join(__dirname, appName, 'instrumentations.cjs') : '';

async function setUp() {
  if (contestant === 'untraced') return () => {};
  if (contestant.startsWith('otel')) {
    require(`./${contestant}/setup.cjs`);
    return () => {};
  }
  if (contestant.startsWith('forktrace')) {
    const { startWorkerTracing, traceServer } = await import('forktrace');
    const [, pipeline, mode] = contestant.split('-');
    const found = process.env.BENCH_INSTRUMENTATIONS;
    const instrumentations = found ? { instrumentations: require(found) } : {};
    startWorkerTracing({ serviceName: 'bench', pipeline, journal: { mode }, ...instrumentations });
    return (server) => traceServer(server);
  }
  // Peers are set up by a file of their own in bench/peers.
  require(join(__dirname, 'peers', `${contestant}.cjs`));
  return () => {};
}

async function main() {
  const trace = await setUp();
  // After the set-up: instrumentations that patch modules see only what is loaded later.
  const http = require('node:http');
  const app = await require(`./apps/${appName}.cjs`)();
  const server = app instanceof http.Server ? app : http.createServer(app);
  trace(server);
  // Node closes idle connections after five seconds, and each server here waits for its turn.
  server.keepAliveTimeout = 600_000;
  const delay = monitorEventLoopDelay({ resolution: 5 });
  process.on('message', (message) => {
    if (message === 'reset') {
      delay.reset();
      delay.enable();
    }
    // Its timer would go on in every server that waits for its turn on the same core.
    if (message === 'idle') delay.disable();
    if (message === 'usage') {
      const { user, system } = process.cpuUsage();
      process.send({
        cpuMicros: user + system,
        loopDelayP99: delay.percentile(99) / 1e6,
        youngGeneration: getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').physical_space_size,
      });
    }
    if (message === 'stop') process.kill(process.pid, 'SIGTERM');
    if (message === 'exit') process.exit();
  });
  process.on('disconnect', () => process.exit());
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
}

main();
