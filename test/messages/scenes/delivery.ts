/**
 * What is said of exports, by the shipper and by `forktrace ship`.
 *
 * @module
 */
import type { Scene } from '../scene.js';
import { journal, killed, leavesJournal, run, serves } from './programs.js';

export const scenes: Scene[] = [
  {
    code: 'FORKTRACE_EXPORT_FAILED',
    when: 'nobody listens at the endpoint; what is left in the journal is said at the end',
    files: { 'job.js': killed() },
    journal: true,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
    command: `${leavesJournal}; forktrace ship ${journal} --timeout 4`,
    shows: ['FORKTRACE_SPANS_LEFT', 'FORKTRACE_SHIP_INCOMPLETE'],
  },
  {
    code: 'FORKTRACE_EXPORT_RECOVERED',
    when: 'the endpoint is back',
    files: { 'job.js': killed() },
    collector: { does: 'answers 503, twice', answer: (_, nth) => (nth < 2 ? [503, 'starting up'] : [200]) },
    command: `${leavesJournal}; forktrace ship ${journal}`,
  },
  {
    code: 'FORKTRACE_EXPORT_WARNING',
    when: 'the endpoint takes all and says something',
    files: { 'job.js': killed() },
    collector: {
      does: 'takes everything, with a word',
      answer: () => [200, '{"partialSuccess":{"errorMessage":"90 % of the quota is used"}}'],
    },
    command: `${leavesJournal}; forktrace ship ${journal}`,
  },
  {
    code: 'FORKTRACE_SPANS_REFUSED',
    when: 'the endpoint refuses a span for good',
    files: {
      'job.js': killed("for (const name of ['work', 'more work']) trace.getTracer('job').startSpan(name).end();"),
    },
    collector: {
      does: 'refuses one span of those that it gets',
      answer: (_, nth) =>
        nth === 0 ? [200, '{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no tenant"}}'] : [200],
    },
    command: `${leavesJournal}; forktrace ship ${journal}`,
    shows: ['FORKTRACE_SHIP_INCOMPLETE'],
  },
  {
    code: 'FORKTRACE_SPANS_SET_ASIDE',
    when: 'a proxy answers 502 whenever one span is sent: what stands behind it dies over that',
    files: {
      'job.js': killed("for (const name of ['work', 'poison']) trace.getTracer('job').startSpan(name).end();"),
    },
    collector: {
      does: 'takes everything but one span, over which it fails',
      answer: (_path, _nth, body) => (body.includes('poison') ? [502] : [200]),
    },
    // The failures before that are those of FORKTRACE_EXPORT_FAILED, in an order that is up to the machine's
    // load.
    command: `${leavesJournal}; forktrace ship ${journal} 2>&1 | grep -v FORKTRACE_EXPORT`,
    shows: ['FORKTRACE_SPANS_LEFT', 'FORKTRACE_SHIP_INCOMPLETE'],
  },
  {
    code: 'FORKTRACE_LOGS_NOT_TAKEN',
    when: 'the endpoint has no logs service',
    files: {
      'job.js': `import { logs } from '@opentelemetry/api-logs';\n${killed("logs.getLogger('job').emit({ body: 'done' });\ntrace.getTracer('job').startSpan('work').end();")}`,
    },
    collector: {
      does: 'takes spans, and answers 404 to log records',
      answer: (path) => (path === '/v1/logs' ? [404, 'page not found'] : [200]),
    },
    env: { OTEL_LOGS_EXPORTER: 'otlp' },
    packages: ['@opentelemetry/api-logs'],
    command: `${leavesJournal}; forktrace ship ${journal} --timeout 2`,
  },
  {
    code: 'FORKTRACE_METRICS_FAILED',
    when: 'the endpoint takes no metrics',
    files: {
      'job.js':
        "import { startWorkerTracing } from 'forktrace';\nconst tracing = startWorkerTracing();\nawait tracing.shutdown();\n",
    },
    collector: {
      does: 'takes spans, and answers 404 to metrics',
      answer: (path) => (path === '/v1/metrics' ? [404, 'page not found'] : [200]),
    },
    env: { OTEL_METRICS_EXPORTER: 'otlp' },
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_SPANS_DROPPED',
    when: 'the journal is full before spans could be shipped',
    files: {
      'job.js': killed(
        "for (let i = 0; i < 4000; i++) trace.getTracer('job').startSpan('work', { attributes: { text: 'x'.repeat(1000) } }).end();",
      ),
    },
    journal: true,
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' },
    command: `${leavesJournal}; FORKTRACE_JOURNAL_MAX_BYTES=2000000 FORKTRACE_SHUTDOWN_TIMEOUT=500 forktrace ship --watch 2>&1 | grep --line-buffered -v EXPORT_FAILED`,
    until: /SPANS_DROPPED.*\n/,
  },
  {
    code: 'FORKTRACE_SHIPPER_DIED',
    when: 'the shipper is killed',
    files: { 'app.js': serves },
    collector: { does: 'takes everything' },
    command: `${run} 2>&1 | tee log & until grep -sq 'serving at' log && cat ${journal}/shipper-1.lock > lock 2> no; do sleep 0.05; done; kill -9 $(sed 's/.*"pid":\\([0-9]*\\).*/\\1/' lock); wait`,
    until: /SHIPPER_DIED.*\n/,
  },
  {
    code: 'FORKTRACE_SHIPPER_FAILED',
    when: 'the shipper cannot use the directory',
    files: { journals: '' },
    journal: true,
    command: 'FORKTRACE_JOURNAL_DIR=$PWD/journals forktrace ship --watch',
    until: /SHIPPER_FAILED.*\n/,
  },
  {
    code: 'FORKTRACE_DESTINATION_UNSAID',
    when: 'the disk is full at the moment at which a process says where its spans go',
    files: {
      'job.js':
        "import fs, { writeFileSync } from 'node:fs';\nfs.writeFileSync = (path, ...rest) => {\n  if (String(path).includes('.destination')) throw new Error('ENOSPC: no space left on device, write');\n  writeFileSync(path, ...rest);\n};\nconst { startWorkerTracing } = await import('forktrace');\nconst tracing = startWorkerTracing();\nawait tracing.shutdown();\n",
    },
    collector: { does: 'takes everything' },
    command: 'node job.js',
  },
];
