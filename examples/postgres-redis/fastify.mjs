import fastify from 'fastify';
import { failing, item } from './stock.mjs';

export default async function createApp() {
  const app = fastify();
  app.get('/items/:id', async (request) => item(request.params.id));
  app.get('/fails', async (_request, reply) => reply.code(500).send(await failing()));
  app.get('/stock', async () => '1');
  await app.ready();
  return app.server;
}
