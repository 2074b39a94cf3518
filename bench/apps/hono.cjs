const { Hono } = require('hono');
const { createAdaptorServer } = require('@hono/node-server');
const catalogue = require('./work.cjs');

module.exports = () => {
  const app = new Hono();
  app.get('/items/:category', (context) => context.json(catalogue()));
  return createAdaptorServer({ fetch: app.fetch });
};
