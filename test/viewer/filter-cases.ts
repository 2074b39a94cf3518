/** Traces, and what filters find among them, wherever they are kept. */
import { requestSpans, workerResource } from './cluster-feed.js';
import { tracesRequest } from './otlp-feed.js';

export const shop = (slot: number, service = 'shop') =>
  workerResource({ slot, incarnation: 0, pid: 40 + slot }, service);
export const startMs = Date.now() - 1000;

/** Hands over a request for each trace. */
export function feed(ingest: (request: Buffer) => void): void {
  const take = (request: Parameters<typeof requestSpans>[0], resource = shop(0)) =>
    ingest(tracesRequest(requestSpans({ ...request }), resource));
  take({ startMs, durationMs: 20, route: '/a', attributes: { 'user.agent': 'curl/8.0', size: 10 } });
  take(
    { startMs, durationMs: 150, route: '/checkout', status: 500, method: 'POST', steps: ['cart.load', 'pay'] },
    shop(2),
  );
  take(
    { startMs, durationMs: 300, route: '/checkout/:id', status: 404, attributes: { size: 900 } },
    shop(2, 'big shop'),
  );
  take({ startMs, durationMs: 700, route: '/slow', interrupted: true }, shop(1));
}

export const all = ['/a', '/checkout', '/checkout/:id', '/slow'];
/** Filters, and the routes of the traces of {@link feed} that each finds. */
export const FILTERS = [
  ['', all],
  ['status>=500', ['/checkout']],
  ['status:404', ['/checkout/:id']],
  ['status:4xx', ['/checkout/:id']],
  ['status<500', ['/a', '/checkout/:id']],
  ['status:error', ['/checkout', '/slow']],
  ['status:interrupted', ['/slow']],
  ['-status:error', ['/a', '/checkout/:id']],
  ['status:ok', ['/a', '/checkout/:id']],
  ['-status:ok', ['/checkout', '/slow']],
  ['trace:no-such-id', []],
  ['-trace:no-such-id', all],
  ['trace:"a b"', []],
  ['trace>é*', []],
  ['host:nowhere', []],
  ['host:"a-b (c) OR *"', []],
  ['-method:po-st', all],
  ['status:a-b', []],
  ['kind:"a OR b"', []],
  ['"say \\"so\\" - ^*:"', []],
  ['service>shop', []],
  ['service>=shop', ['/a', '/checkout', '/slow']],
  ['service<shop', ['/checkout/:id']],
  ['service<=shop', all],
  ['route:/checkout', ['/checkout', '/checkout/:id']],
  ['route=/checkout', ['/checkout']],
  ['route!=/checkout', ['/a', '/checkout/:id', '/slow']],
  ['duration>100ms', ['/checkout', '/checkout/:id', '/slow']],
  ['duration>=0.29s', ['/checkout/:id', '/slow']],
  ['duration<20100us', ['/a']],
  ['duration<=20ms', ['/a']],
  ['-duration>100ms', ['/a']],
  ['-spans>2', ['/a', '/checkout/:id', '/slow']],
  ['spans=3', ['/checkout']],
  ['worker:2', ['/checkout', '/checkout/:id']],
  ['worker>=1', ['/checkout', '/checkout/:id', '/slow']],
  ['service:shop', all],
  ['service=shop', ['/a', '/checkout', '/slow']],
  ['service="big shop"', ['/checkout/:id']],
  ['user.agent:curl', ['/a']],
  ['-user.agent:curl', ['/checkout', '/checkout/:id', '/slow']],
  ['size>500', ['/checkout/:id']],
  ['size<500', ['/a']],
  ['method:post', ['/checkout']],
  ['name:cart', ['/checkout']],
  ['spans>2', ['/checkout']],
  ['kind:server', all],
  ['pid:42', ['/checkout', '/checkout/:id']],
  ['declined cart', ['/checkout']],
  ['cart declined', ['/checkout']],
  ['cart 8.0', []],
  ['"card was declined"', ['/checkout']],
  ['status>=500 route:/checkout duration>100ms worker:2 service:shop -user.agent:curl', ['/checkout']],
  ['duration>abc', []],
  ['http://nowhere', []],
] as const;
