import { createServer } from 'node:http';
import express from 'express';
import { failing, item } from './stock.mjs';

export default function createApp() {
  const app = express();
  app.get('/items/:id', async (request, response) => response.end(await item(request.params.id)));
  app.get('/fails', async (_request, response) => response.status(500).end(await failing()));
  app.get('/stock', (_request, response) => response.end('1'));
  return createServer(app);
}
