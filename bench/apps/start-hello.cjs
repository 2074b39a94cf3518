// Answers one request, and prints the CPU time of the process up to then, in milliseconds, and when it ends.
const http = require('node:http');
const { startWorkerTracing, traceServer } = process.env.BENCH_TWO_LINES === undefined ? {} : require('forktrace');

startWorkerTracing?.();
const server = http.createServer((_request, response) => {
  // The span of the request ends with it.
  response.on('close', () =>
    setImmediate(() => {
      const { user, system } = process.cpuUsage();
      console.log(`cpu ${(user + system) / 1000}`);
      console.log(`ends ${performance.timeOrigin + performance.now()}`);
      process.exit();
    }),
  );
  response.end('hello');
});
traceServer?.(server);
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
