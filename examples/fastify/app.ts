import fastify from 'fastify';

export default function createApp() {
  const app = fastify();
  app.get<{ Params: { id: string } }>('/books/:id', async (request) => ({ id: request.params.id, pid: process.pid }));
  return app;
}
