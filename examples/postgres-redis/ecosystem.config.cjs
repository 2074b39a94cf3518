// pm2 start ecosystem.config.cjs
const { join } = require('node:path');
const { defineEcosystem } = require('forktrace/pm2');

module.exports = defineEcosystem({
  name: 'shop',
  script: join(__dirname, 'server.mjs'),
  exec_mode: 'fork',
  instances: 1,
});
