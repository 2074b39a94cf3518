import { Hono } from 'hono';

export default function createApp() {
  const app = new Hono();
  app.get('/books/:id', (c) => c.json({ id: c.req.param('id'), pid: process.pid }));
  return app;
}
