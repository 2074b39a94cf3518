/** @module Options of the journal and its shipper. */
import { choice, milliseconds, segmentSize, text, whole } from '../kinds.js';
import { group, option } from '../option.js';

export const journaling = {
  journal: group('JournalConfig', 'The crash-safe log of ended spans.', {
    dir: option(text, {
      about:
        'The parent directory: the journal is in `<dir>/<service>` (characters that a path cannot hold are percent-encoded), which only this user can enter. If it cannot be used, one warning says so, and spans go through `batch`.',
      variable: 'FORKTRACE_JOURNAL_DIR',
      otherwise:
        '`forktrace-<uid>` in the OS temp directory; where another user has that name, `$XDG_RUNTIME_DIR/forktrace`, or a new one with a random name',
    }),
    maxBytes: option(whole(65_536), {
      about:
        'How large the directory may become; beyond that unshipped log records are dropped, then unshipped spans, the oldest first.',
      unit: 'bytes',
      variable: 'FORKTRACE_JOURNAL_MAX_BYTES',
      default: 268_435_456,
    }),
    mode: option(choice('auto', 'mmap', 'write'), {
      about:
        '`mmap`, `write`, or `auto`: `mmap` where koffi works and the [file system writes in place](journal-format.md#bounds). `write` takes three system calls per request, or more. If the process is killed, spans that ended after the last answer, in the same turn of the event loop, are [not ended in the file](journal-format.md#why-no-span-is-both-ended-and-in-flight).',
      variable: 'FORKTRACE_JOURNAL_MODE',
      default: 'auto',
    }),
    sync: option(choice('none', 'interval'), {
      about:
        '`none`: spans in the journal survive any death of a process. `interval`: also a crash of the machine, up to the last `syncIntervalMs`; files are synced to the disk off the event loop, and [each span has a checksum](journal-format.md#the-machines-crash).',
      variable: 'FORKTRACE_JOURNAL_SYNC',
      default: 'none',
    }),
    syncIntervalMs: option(milliseconds(10), {
      about: "How often files are synced to the disk with `sync: 'interval'`.",
      unit: 'ms',
      default: 1000,
    }),
    segmentBytes: option(segmentSize, { about: 'The size of one segment file.', unit: 'bytes', default: 1_048_576 }),
    inFlight: option(whole(1, 1_048_576), {
      about: 'How many local-root spans in flight the in-flight table holds before it grows.',
      default: 1024,
    }),
    endTimeoutMs: option(milliseconds(0), {
      about:
        'How long the last process of a container waits at its end until its journal is delivered. [Which process that is](preload.md).',
      unit: 'ms',
      variable: 'FORKTRACE_JOURNAL_END_TIMEOUT',
      default: 5000,
    }),
  }),
  ship: option(choice('process', 'inline'), {
    about: "Who ships the journal: a `process` of its own, or `inline`, this process's event loop.",
    variable: 'FORKTRACE_SHIP',
    default: 'process',
  }),
};
