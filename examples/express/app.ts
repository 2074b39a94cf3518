import express from 'express';

export default function createApp() {
  const app = express();
  const books = express.Router();
  books.get('/:id', (request, response) => {
    response.json({ id: request.params.id, pid: process.pid });
  });
  app.use('/books', books);
  return app;
}
