/**
 * What is said of the journal.
 *
 * @module
 */
import type { Scene } from '../scene.js';
import { journal, killed, run, serves, servesAndSays } from './programs.js';

export const scenes: Scene[] = [
  {
    code: 'FORKTRACE_JOURNAL_DIR',
    when: 'the journal cannot be where it is to be',
    files: { 'app.js': serves },
    collector: { does: 'takes everything' },
    env: { FORKTRACE_JOURNAL_DIR: '/dev/null/journals' },
    command: run,
    until: servesAndSays('FORKTRACE_JOURNAL_DIR'),
  },
  {
    code: 'FORKTRACE_JOURNAL_MMAP',
    when: 'files are to be mapped where that cannot be',
    files: {
      'job.js': "import { startWorkerTracing } from 'forktrace';\nstartWorkerTracing({ journal: { mode: 'mmap' } });\n",
    },
    collector: { does: 'takes everything' },
    command: 'node --no-addons job.js',
  },
  {
    code: 'FORKTRACE_JOURNAL_LOSS',
    when: 'a span is larger than any endpoint takes',
    files: {
      'job.js':
        "import { trace } from '@opentelemetry/api';\nimport { startWorkerTracing } from 'forktrace';\nconst tracing = startWorkerTracing();\ntrace.getTracer('job').startSpan('work', { attributes: { text: 'x'.repeat(2 ** 24) } }).end();\nawait tracing.shutdown();\n",
    },
    collector: { does: 'takes everything' },
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_IN_FLIGHT_FULL',
    when: 'more is in flight than the table can hold',
    files: {
      'job.js':
        "import { ROOT_CONTEXT, trace } from '@opentelemetry/api';\nimport { startWorkerTracing } from 'forktrace';\nconst tracing = startWorkerTracing({ journal: { inFlight: 16 } });\nconst spans = Array.from({ length: 2000 }, (_, name) => trace.getTracer('job').startSpan(String(name), {}, ROOT_CONTEXT));\nfor (const span of spans) span.end();\nawait tracing.shutdown();\n",
    },
    collector: { does: 'takes everything' },
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_USER_CHANGED',
    when: 'a program that was started as root becomes another user, and fills its segment',
    files: {
      'job.js':
        "import { trace } from '@opentelemetry/api';\nimport { startWorkerTracing } from 'forktrace';\nconst tracing = startWorkerTracing();\nprocess.setgroups([]);\nprocess.setgid(65534);\nprocess.setuid(65534);\nconst text = 'x'.repeat(700_000);\nfor (let i = 0; i < 3; i++) trace.getTracer('job').startSpan('work', { attributes: { text } }).end();\nawait tracing.shutdown();\n",
    },
    needsRoot: true,
    collector: { does: 'takes everything' },
    command: 'chmod 711 . && chmod 1777 tmp && node job.js',
  },
  {
    code: 'FORKTRACE_JOURNAL_MALFORMED',
    when: 'somebody has overwritten a part of the journal',
    files: { 'job.js': killed() },
    collector: { does: 'takes everything' },
    command: `{ node job.js; } 2> log; for segment in ${journal}/*-1.segment; do printf 'forktrace' | dd of=$segment bs=1 seek=4100 conv=notrunc 2> log; done; forktrace ship ${journal}`,
  },
  {
    code: 'FORKTRACE_WRITER_RENEWED',
    when: 'a shipper in another container has taken the process for dead, and has said so in its segment',
    files: {
      'job.js':
        "import { startWorkerTracing } from 'forktrace';\nstartWorkerTracing();\nsetInterval(() => {}, 1000);\n",
    },
    collector: { does: 'takes everything' },
    command: `node job.js & until ls ${journal}/*-1.segment > log 2>&1; do sleep 0.05; done; printf '\\001' | dd of=$(ls ${journal}/*-1.segment) bs=1 seek=196 conv=notrunc 2> log; wait`,
    until: /WRITER_RENEWED.*\n/,
  },
  {
    code: 'FORKTRACE_LOGS_FLOOD',
    when: 'a program logs more than it may',
    files: {
      'job.js':
        "import { logs } from '@opentelemetry/api-logs';\nimport { startWorkerTracing } from 'forktrace';\nconst tracing = startWorkerTracing({ logs: { maxPerSecond: 10 } });\nfor (let i = 0; i < 50; i++) logs.getLogger('job').emit({ body: 'still here' });\nawait tracing.shutdown();\n",
    },
    packages: ['@opentelemetry/api-logs'],
    collector: { does: 'takes everything' },
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_LOGS_NEED_JOURNAL',
    when: 'logs are asked for without a journal',
    files: {
      'job.js':
        "import { startWorkerTracing } from 'forktrace';\nconst tracing = startWorkerTracing({ pipeline: 'batch', logs: true });\nawait tracing.shutdown();\n",
    },
    collector: { does: 'takes everything' },
    command: 'node job.js',
  },
];
