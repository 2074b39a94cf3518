// The shop's front. Each worker calls this once, after its tracing has started.
import express, { type NextFunction, type Request, type Response } from 'express';
import type { WorkerContext } from 'forktrace';
import { Catalogue } from './catalogue.js';
import { Checkout, PaymentDeclined, UnknownProduct } from './checkout.js';

export default function shop(worker: WorkerContext) {
  const catalogue = new Catalogue();
  const checkout = new Checkout(catalogue, process.env.PAYMENTS_URL ?? 'http://127.0.0.1:3001');
  const app = express();
  app.use(express.json());

  app.get('/', (_request, response) => {
    response.json({ shop: 'forktrace example', slot: worker.slot, pid: process.pid });
  });

  app.get('/products', async (_request, response) => {
    response.json(await catalogue.list());
  });

  app.get('/products/:sku', async (request, response) => {
    const product = await catalogue.find(request.params.sku);
    if (!product) throw new UnknownProduct(`no such product: ${request.params.sku}`);
    response.json(product);
  });

  app.post('/checkout', async (request, response) => {
    const { skus, card } = request.body as { skus: string[]; card: string };
    response.status(201).json(await checkout.order(skus, card));
  });

  // Slow.
  app.get('/report', async (_request, response) => {
    response.json(await catalogue.report());
  });

  // Always fails: it shows what an error looks like in a trace.
  app.get('/recommendations', () => {
    throw new TypeError("Cannot read properties of undefined (reading 'taste')");
  });

  // Kills its worker, as a bug in native code or the kernel's out-of-memory killer does.
  app.post('/crash', async () => {
    await catalogue.list();
    process.kill(process.pid, 'SIGKILL');
  });

  // Express knows an error handler by its four parameters.
  app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
    const status = error instanceof UnknownProduct ? 404 : error instanceof PaymentDeclined ? 402 : 500;
    response.status(status).json({ error: error.message });
  });
  return app;
}
