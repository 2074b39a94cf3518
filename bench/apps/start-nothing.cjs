// Neither a server nor a span: prints the CPU time of the process when its event loop runs empty, in
// milliseconds.
process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  console.log(`cpu ${(user + system) / 1000}`);
});
