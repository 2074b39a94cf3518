const express = require('express');
const catalogue = require('./work.cjs');

module.exports = () => {
  const app = express();
  app.get('/items/:category', (_request, response) => response.json(catalogue()));
  return app;
};
