import {
  EVENTLOOP_DELAYS,
  EVENTLOOP_UTILIZATION,
  GC_DURATION,
  HEAP_USED,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  HTTP_SERVER_ACTIVE_REQUESTS,
  HTTP_SERVER_REQUEST_DURATION,
} from '../../wire/conventions.js';
import type { PreparedView } from '../api-types/metrics.js';

interface Prepared {
  title: string;
  /** The first of these that is there: the stable name, and what came before it. */
  names: string[];
  stat?: PreparedView['charts'][number]['stat'];
  by?: string;
}

const HTTP_DURATION = [HTTP_SERVER_REQUEST_DURATION, 'http.server.duration'];
const GROUPS: { title: string; charts: Prepared[] }[] = [
  {
    title: 'HTTP server',
    charts: [
      { title: 'Requests per second, by worker', names: HTTP_DURATION, stat: 'rate' },
      { title: '95th percentile of the duration, by worker', names: HTTP_DURATION, stat: 'p95' },
      { title: '95th percentile of the duration, by route', names: HTTP_DURATION, stat: 'p95', by: HTTP_ROUTE },
      { title: 'Requests per second, by status', names: HTTP_DURATION, stat: 'rate', by: HTTP_RESPONSE_STATUS_CODE },
      { title: 'Requests in flight', names: [HTTP_SERVER_ACTIVE_REQUESTS] },
    ],
  },
  {
    title: 'Runtime',
    charts: [
      { title: 'Event loop utilisation', names: [EVENTLOOP_UTILIZATION] },
      { title: '99th percentile of the event loop’s delay', names: [EVENTLOOP_DELAYS.p99] },
      { title: 'Heap used', names: [HEAP_USED, 'process.memory.usage'] },
      { title: 'Time in garbage collection, per second', names: [GC_DURATION], stat: 'total' },
    ],
  },
];

/** HTTP durations and runtime metrics, as far as they are measured. */
export function preparedCharts(isThere: (name: string) => boolean): PreparedView[] {
  const groups = GROUPS.map(({ title, charts }) => ({
    title,
    charts: charts.flatMap(({ names, ...chart }) => {
      const name = names.find(isThere);
      return name === undefined ? [] : [{ ...chart, name }];
    }),
  }));
  return groups.filter(({ charts }) => charts.length > 0);
}
