const { startClusterWithTracing } = require('forktrace');
console.log(
  JSON.stringify({ exports: typeof startClusterWithTracing, register: typeof require('forktrace/register') }),
);
