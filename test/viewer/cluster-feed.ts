/**
 * A cluster of four workers as OTLP: requests, one SIGKILL with a request in flight, the respawn, a reload.
 */
import { type FeedSpan, newSpanId, newTraceId, type Plain, send } from './otlp-feed.js';

export interface FedWorker {
  slot: number;
  incarnation: number;
  pid: number;
}

export function workerResource({ slot, incarnation, pid }: FedWorker, service = 'shop'): Record<string, Plain> {
  return {
    'service.name': service,
    'service.instance.id': `${service}-${slot}-${incarnation}`,
    'process.pid': pid,
    'host.name': 'laptop',
    'cluster.worker.slot': slot,
    'cluster.worker.incarnation': incarnation,
    'cluster.manager': 'cluster',
  };
}

const coordinator = { 'service.name': 'shop', 'service.instance.id': 'shop-coordinator', 'process.pid': 100 };

export interface FedRequest {
  startMs: number;
  durationMs: number;
  method?: string;
  route?: string;
  path?: string;
  status?: number;
  interrupted?: boolean;
  /** How deep the work inside is split. */
  steps?: string[];
  attributes?: Record<string, Plain>;
}

/** The spans of one request; the first is its SERVER span. */
export function requestSpans(request: FedRequest): FeedSpan[] {
  const { startMs, durationMs, method = 'GET', route = '/', path = route, status = 200, interrupted = false } = request;
  const traceId = newTraceId();
  const root: FeedSpan = {
    traceId,
    spanId: newSpanId(),
    name: `${method} ${route}`,
    kind: 2,
    startMs,
    durationMs,
    error: interrupted ? 'worker.exit' : status >= 500,
    attributes: {
      'http.request.method': method,
      'http.route': route,
      'url.path': path,
      'server.address': 'localhost',
      ...(interrupted
        ? { 'forktrace.interrupted': true, 'error.type': 'worker.exit' }
        : { 'http.response.status_code': status }),
      ...request.attributes,
    },
    events: interrupted
      ? [{ name: 'forktrace.exit', atMs: startMs + durationMs, attributes: { 'forktrace.exit.signal': 'SIGKILL' } }]
      : [],
  };
  const steps = request.steps ?? [];
  let at = startMs + durationMs * 0.05;
  const share = (durationMs * 0.85) / Math.max(1, steps.length);
  const children = steps.map((name, index): FeedSpan => {
    const failed = status >= 500 && index === steps.length - 1;
    const child: FeedSpan = {
      traceId,
      spanId: newSpanId(),
      parentSpanId: root.spanId,
      name,
      kind: name.includes('HTTP') ? 3 : 1,
      startMs: at,
      durationMs: share * 0.9,
      error: failed && 'the card was declined',
      attributes: { step: index, 'code.function.name': name },
      events: failed
        ? [
            {
              name: 'exception',
              atMs: at + share * 0.8,
              attributes: {
                'exception.type': 'CardDeclined',
                'exception.message': 'the card was declined',
                'exception.stacktrace':
                  'CardDeclined: the card was declined\n    at pay (shop/pay.js:12:9)\n    at checkout (shop/checkout.js:40:3)',
              },
            },
          ]
        : [],
    };
    at += share;
    return child;
  });
  return [root, ...children];
}

export const workerStart = (worker: FedWorker, startMs: number, bootMs: number): FeedSpan => ({
  name: 'worker.start',
  startMs,
  durationMs: bootMs,
  attributes: {
    'cluster.worker.slot': worker.slot,
    'cluster.worker.incarnation': worker.incarnation,
    'cluster.worker.pid': worker.pid,
  },
});

/** Sends the whole story, which ends at `endMs`. */
export async function feedCluster(otlpHttpUrl: string, endMs = Date.now()): Promise<void> {
  const at = (secondsBefore: number) => endMs - secondsBefore * 1000;
  const workers = [0, 1, 2, 3].map((slot): FedWorker => ({ slot, incarnation: 0, pid: 4200 + slot }));
  const respawned: FedWorker = { slot: 2, incarnation: 1, pid: 4310 };
  const killedAt = at(22);
  const life: FeedSpan[] = workers.map((worker) => workerStart(worker, at(58), 420 + worker.slot * 60));
  life.push(
    {
      name: 'worker.exit',
      startMs: killedAt,
      durationMs: 1,
      error: true,
      attributes: {
        'cluster.worker.slot': 2,
        'cluster.worker.incarnation': 0,
        'cluster.worker.pid': 4202,
        'forktrace.exit.signal': 'SIGKILL',
        'forktrace.exit.planned': false,
        'forktrace.exit.spans_recovered': 17,
        'forktrace.exit.requests_interrupted': 2,
      },
    },
    workerStart(respawned, killedAt + 130, 1900),
    { name: 'cluster.reload', startMs: at(9), durationMs: 3200, attributes: {} },
  );
  await send(otlpHttpUrl, life, coordinator);

  const routes = [
    { method: 'GET', route: '/', steps: ['render'], base: 4 },
    { method: 'GET', route: '/products/:id', steps: ['cache.get', 'SELECT products', 'render'], base: 12 },
    { method: 'POST', route: '/cart', steps: ['cart.add', 'INSERT cart_items'], base: 22 },
    { method: 'POST', route: '/checkout', steps: ['cart.load', 'HTTP POST stock', 'pay'], base: 140 },
  ];
  // Always the same pictures.
  let seed = 7;
  const random = () => {
    seed = (seed * 16807) % 2147483647;
    return seed / 2147483647;
  };
  for (const worker of [...workers, respawned]) {
    const from = worker === respawned ? killedAt + 2100 : at(57);
    const until = worker.slot === 2 && worker !== respawned ? killedAt : endMs - 50;
    const spans: FeedSpan[] = [];
    for (let startMs = from; startMs < until; startMs += 60 + random() * 320) {
      const route = routes[Math.floor(random() ** 1.6 * routes.length)]!;
      const durationMs = route.base * (0.5 + random() * 1.2) * (random() > 0.97 ? 8 : 1);
      if (startMs + durationMs > until) continue;
      const status = route.route === '/checkout' && random() > 0.82 ? 500 : random() > 0.97 ? 404 : 200;
      spans.push(...requestSpans({ ...route, startMs, durationMs, status }));
    }
    if (worker.slot === 2 && worker !== respawned) {
      spans.push(
        ...requestSpans({
          method: 'POST',
          route: '/checkout',
          startMs: killedAt - 640,
          durationMs: 640,
          interrupted: true,
          steps: ['cart.load'],
        }),
        ...requestSpans({
          method: 'GET',
          route: '/products/:id',
          startMs: killedAt - 90,
          durationMs: 90,
          interrupted: true,
        }),
      );
    }
    await send(otlpHttpUrl, spans, workerResource(worker));
  }
}
