/** What a page has to find room for: 64 workers, names of any writing and length, a trace of 10,000 spans. */
import { requestSpans, workerResource, workerStart } from './cluster-feed.js';
import { type FeedSpan, newSpanId, newTraceId, send } from './otlp-feed.js';

const WORKERS = 64;
const SPANS = 10_000;
const ROUTES = [
  '/הזמנות/:מזהה',
  '/注文/:番号/配送先',
  '/🏳️‍🌈/👩‍👩‍👧‍👦/:id',
  `/api/v2/tenants/:tenantId/${'organisation-units/:unitId/'.repeat(8)}members`,
  '/health',
];
const STEPS = ['SELECT * FROM "طلبات" WHERE معرّف = $1', '支払い 🚀', 'HTTP POST stock', `render ${'x'.repeat(200)}`];

/** @returns the pages that only it has, each with its address */
export async function feedOdd(otlpHttpUrl: string): Promise<Record<string, [path: string]>> {
  const now = Date.now();
  const coordinator = { 'service.name': 'магазин-小売り-🛒', 'service.instance.id': 'c', 'process.pid': 1 };
  const service = coordinator['service.name'];
  const life: FeedSpan[] = [];
  for (let slot = 0; slot < WORKERS; slot++) {
    const worker = { slot, incarnation: 0, pid: 4000 + slot };
    const dies = slot % 9 === 4 ? now - 20_000 - slot * 100 : undefined;
    life.push(workerStart(worker, now - 58_000, 400));
    const requests = Array.from({ length: 60 }, (_, n) => n).flatMap((n) => {
      const startMs = now - 57_000 + n * 900 + slot * 13;
      if (dies !== undefined && startMs > dies) return [];
      return requestSpans({
        startMs,
        durationMs: 5 + ((n * 37 + slot * 11) % 400),
        method: n % 4 === 0 ? 'POST' : 'GET',
        route: ROUTES[(n + slot) % ROUTES.length]!,
        status: (n * slot) % 41 === 1 ? 503 : 200,
        steps: n % 3 === 0 ? STEPS : [],
        attributes: { 'db.query.text': STEPS[0]!, note: 'مرحبا بالعالم، 世界, 👩‍👩‍👧‍👦' },
      });
    });
    if (dies !== undefined) {
      requests.push(...requestSpans({ startMs: dies - 700, durationMs: 700, route: ROUTES[3]!, interrupted: true }));
      life.push({
        name: 'worker.exit',
        startMs: dies,
        error: true,
        attributes: {
          'cluster.worker.slot': slot,
          'cluster.worker.incarnation': 0,
          'cluster.worker.pid': 4000 + slot,
          'forktrace.exit.cause': 'killed',
          'forktrace.exit.signal': 'SIGKILL',
          'forktrace.exit.planned': false,
          'forktrace.exit.requests_interrupted': 1,
        },
      });
    }
    await send(otlpHttpUrl, requests, workerResource(worker, service));
  }
  await send(otlpHttpUrl, life, coordinator);

  const traceId = newTraceId();
  const ids = Array.from({ length: SPANS }, newSpanId);
  const spans = ids.map((spanId, n): FeedSpan => {
    const depth = n % 50;
    return {
      traceId,
      spanId,
      ...(n > 0 && { parentSpanId: depth === 0 ? ids[0]! : ids[n - 1]! }),
      name: n === 0 ? `GET ${ROUTES[3]}` : STEPS[n % STEPS.length]!,
      kind: n === 0 ? 2 : 1 + (n % 5),
      startMs: now - 30_000 + Math.floor(n / 50) * 40 + depth * 0.2,
      durationMs: n === 0 ? 9000 : 38 - depth * 0.5,
      error: n % 977 === 3 && 'نفدت الكمية',
      attributes: { n },
    };
  });
  await send(otlpHttpUrl, spans, workerResource({ slot: 5, incarnation: 0, pid: 4005 }, service));
  const large = `/traces/${traceId}`;
  return {
    cluster: ['/cluster?window=300000'],
    trace: [large],
    span: [`${large}?span=${ids[3]}`],
    flame: [`${large}?view=flame`],
    statistics: [`${large}?view=statistics`],
  };
}
