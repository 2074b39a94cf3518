// A second service in a process of its own, to show a trace that crosses processes.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { span, startWorkerTracing, traceServer } from 'forktrace';

// One process and no coordinator: it ships its own journal, so nothing stays behind when it ends.
const tracing = await startWorkerTracing({ serviceName: 'payments', ship: 'inline' });

const authorize = span({ name: 'payments.authorize' }, async (card: string) => {
  await sleep(8);
  return card !== 'declined';
});

async function readJson(request: IncomingMessage): Promise<{ total: number; card: string }> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return JSON.parse(text);
}

const server = createServer(async (request, response) => {
  try {
    const { card } = await readJson(request);
    const accepted = await authorize(card);
    response.statusCode = accepted ? 200 : 402;
    response.end(JSON.stringify(accepted ? {} : { reason: 'the card was declined' }));
  } catch {
    response.statusCode = 400;
    response.end('{"reason":"no payment"}');
  }
});
traceServer(server);
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });

// Ends with the process that started it.
process.once('disconnect', async () => {
  server.close();
  server.closeAllConnections();
  await tracing.shutdown(1000);
  process.exit();
});
// Ctrl-C signals the whole process group, but the shop may still send payments, so it ends first.
process.on('SIGINT', () => {});
