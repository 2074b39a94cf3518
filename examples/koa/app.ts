import Router from '@koa/router';
import Koa from 'koa';

export default function createApp() {
  const app = new Koa();
  const books = new Router({ prefix: '/books' });
  books.get('/:id', (ctx) => {
    ctx.body = { id: ctx.params.id, pid: process.pid };
  });
  app.use(books.routes());
  return app;
}
