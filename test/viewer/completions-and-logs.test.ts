import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LogStore } from '#src/viewer/store/log-store.js';
import { TraceStore } from '#src/viewer/store/trace-store.js';
import { completions } from '#src/viewer/views/completions.js';
import { logList } from '#src/viewer/views/log-list.js';
import { encode } from '#src/wire/encode.js';
import { LogsRequest } from '#src/wire/otlp.js';
import { requestSpans, workerResource } from './cluster-feed.js';
import { keyValues, newSpanId, newTraceId, tracesRequest } from './otlp-feed.js';

test('log records by every field of the filter, by time, and by pages', () => {
  const store = new LogStore();
  const traceId = newTraceId();
  const spanId = newSpanId();
  /** [body, severity, severityText, slot] */
  const records: [string, number, string, number | undefined][] = [
    ['started', 9, 'INFO', 0],
    ['slow', 13, 'WARN', 1],
    ['failed', 17, 'ERROR', 1],
    ['odd', 0, 'NOTICE', undefined],
  ];
  for (const [index, [body, severityNumber, severityText, slot]] of records.entries()) {
    const resource =
      slot === undefined ? { 'service.name': 'job' } : workerResource({ slot, incarnation: 0, pid: 70 + slot });
    const record = {
      ...{ timeUnixNano: `${1000 + index}000000`, severityNumber, severityText, body: { stringValue: body } },
      ...{ attributes: keyValues({ 'user.id': index }), ...(body === 'failed' && { traceId, spanId }) },
    };
    store.ingest(
      encode(
        {
          resourceLogs: [
            {
              resource: { attributes: keyValues(resource) },
              scopeLogs: [{ scope: { name: body === 'odd' ? 'own' : 'pino' }, logRecords: [record] }],
            },
          ],
        },
        LogsRequest,
      ),
    );
  }
  const found = (query: Record<string, string>) =>
    logList(store, new URLSearchParams(query), 2000).rows.map(({ body }) => body);
  const all = ['odd', 'failed', 'slow', 'started'];
  const FILTERS: [q: string, ...bodies: string[]][] = [
    ['', ...all],
    ['low', 'slow'],
    ['level:warn', 'slow'],
    ['level>warn', 'failed'],
    ['level>=warn', 'failed', 'slow'],
    ['level<warn', 'started'],
    ['level<=warn', 'slow', 'started'],
    ['level=NOTICE', 'odd'],
    ['-level:info', 'odd', 'failed', 'slow'],
    [`trace:${traceId.slice(0, 8)}`, 'failed'],
    [`span:${spanId.slice(0, 8)}`, 'failed'],
    ['worker=1', 'failed', 'slow'],
    ['worker>=0', 'failed', 'slow', 'started'],
    ['pid=70', 'started'],
    ['service=job', 'odd'],
    ['scope=own', 'odd'],
    ['body=slow', 'slow'],
    ['user.id=3', 'odd'],
    ['cluster.worker.slot=0', 'started'],
  ];
  for (const [q, ...bodies] of FILTERS) assert.deepEqual(found({ q }), bodies, q);
  assert.deepEqual(found({ q: 'host:none-of-them' }), []);
  assert.deepEqual(found({ from: '1002' }), ['odd', 'failed']);
  assert.deepEqual(found({ to: '1001' }), ['slow', 'started']);
  assert.deepEqual(found({ last: '998' }), ['odd', 'failed']);
  assert.deepEqual(found({ limit: '2', offset: '1' }), ['failed', 'slow']);
  assert.deepEqual(found({ limit: 'x', offset: 'x' }), all);
  const earlier = logList(store, new URLSearchParams({ until: '3' }));
  assert.deepEqual([earlier.total, earlier.newer, earlier.held], [3, 1, 4]);
});

test('what a filter may go on with: the values of each field, the most frequent first', () => {
  const store = new TraceStore();
  const now = Date.now();
  for (const slot of [0, 1, 1]) {
    const spans = requestSpans({ startMs: now, durationMs: 4, status: slot === 0 ? 500 : 200 });
    store.ingest(tracesRequest(spans, workerResource({ slot, incarnation: 0, pid: 70 + slot })));
  }
  store.ingest(
    tracesRequest([{ name: 'a job', attributes: { note: 'x'.repeat(200), team: 'cart' } } as never], {
      'service.name': 'job',
    }),
  );
  const offered = (field: string) => completions(store, new URLSearchParams({ field }));
  assert.deepEqual(offered('worker').values, ['1', '0']);
  assert.deepEqual(offered('pid').values, ['71', '70']);
  assert.deepEqual(offered('status').values, ['200', '500']);
  assert.deepEqual(offered('team').values, ['cart']);
  assert.deepEqual([offered('note').values, offered('').values], [[], []], 'nothing that is too long to choose from');
  for (const field of ['service', 'name', 'method', 'route', 'host']) {
    const { values, keys } = offered(field);
    assert.ok(keys.includes('team') && keys.includes('service.name'), field);
    assert.ok(
      values.every((value) => value !== ''),
      field,
    );
  }
  assert.ok(offered('service').values.includes('job'));
  assert.ok(offered('name').values.includes('a job'));
});
