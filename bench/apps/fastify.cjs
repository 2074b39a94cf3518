const catalogue = require('./work.cjs');

module.exports = async () => {
  const app = require('fastify')();
  app.get('/items/:category', async () => catalogue());
  await app.ready();
  return app.server;
};
