/** @module Options of what is found out about a worker that is blocked or dies. */
import { callback, flag } from '../kinds.js';
import { group, option } from '../option.js';

export const forensic = {
  forensics: group('ForensicsConfig', 'What the coordinator finds out about a worker that is blocked or dies.', {
    peek: option(flag, {
      about:
        'When the event loop of a worker is blocked, the coordinator reads its JavaScript stack and its active span through the inspector. See [forensics.md](forensics.md).',
      variable: 'FORKTRACE_PEEK',
      default: true,
    }),
    heapOutOfMemory: option(flag, {
      about:
        'A thread watches the heap. While the heap is more than 85 % full, code runs slower under a debugger. If V8 then runs out of memory, the death has the function, the line and the request.',
      variable: 'FORKTRACE_HEAP_OUT_OF_MEMORY',
      default: false,
    }),
    lastWords: option(flag, {
      about:
        'Adds the last 16 KiB that a worker wrote to its standard error, and its last 20 log records, to `worker.exit` as events, unless the worker was told to end. Under pm2, standard error comes from its log file.',
      variable: 'FORKTRACE_LAST_WORDS',
      default: true,
    }),
    redactLastWords: option(callback<(text: string) => string>('(text: string) => string'), {
      about:
        'Called in the coordinator, under pm2 in the shipper, with the last words before they are written; what it returns is written. One that throws writes nothing.',
    }),
  }),
};
