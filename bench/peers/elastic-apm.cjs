// Elastic's agent with all transactions sampled and without its other data.
require('elastic-apm-node').start({
  serviceName: 'bench',
  serverUrl: process.env.BENCH_HTTP_SINK,
  transactionSampleRate: 1,
  metricsInterval: '0s',
  centralConfig: false,
  cloudProvider: 'none',
  logLevel: 'off',
});
