// Neither a server nor a span: prints when it ends, and the CPU time of the process when its event loop runs
// empty, in milliseconds.
const { writeSync } = require('node:fs');

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(1, `cpu ${(user + system) / 1000}\n`);
});
writeSync(1, `ends ${performance.timeOrigin + performance.now()}\n`);
