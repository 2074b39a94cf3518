const Koa = require('koa');
const { Router } = require('@koa/router');
const catalogue = require('./work.cjs');

module.exports = () => {
  const router = new Router();
  router.get('/items/:category', (context) => {
    context.body = catalogue();
  });
  return new Koa().use(router.routes()).callback();
};
