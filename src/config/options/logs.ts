/** @module Options of logs. */
import { choice, flag, lengthLimit, listOf, pattern, text, whole } from '../kinds.js';
import { option, toggle } from '../option.js';

export const logging = {
  logs: toggle(
    'LogsConfig',
    {
      about:
        'Keeps log records in the journal, beside spans, and exports them to the logs service. The last records of a killed process are delivered, too. See [logs.md](logs.md).',
      otherwise: '`true` unless `NODE_ENV=production`; there with `OTEL_LOGS_EXPORTER`',
      variable: 'FORKTRACE_LOGS',
    },
    {
      url: option(text, {
        about: 'The endpoint for log records, in the form of `export.url`.',
        otherwise: 'beside the spans',
      }),
      level: option(choice('trace', 'debug', 'info', 'warn', 'error', 'fatal'), {
        about: 'Records below it are not kept. A record without a severity is.',
        variable: 'FORKTRACE_LOGS_LEVEL',
        default: 'trace',
      }),
      maxPerSecond: option(whole(1), {
        about:
          'How many records of one process are kept in one second. Those beyond are dropped, counted and reported.',
        variable: 'FORKTRACE_LOGS_MAX_PER_SECOND',
        default: 10_000,
      }),
      captureOutput: option(flag, {
        about:
          'Keeps what is written with `console` as log records and, in workers of `startClusterWithTracing`, everything that they write to standard error. The output itself does not change.',
        variable: 'FORKTRACE_LOGS_CAPTURE_OUTPUT',
        default: false,
      }),
      attributeCountLimit: option(whole(0), {
        about: 'How many attributes of a record are kept. Those beyond are dropped, and counted in the record.',
        variable: ['OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', 'OTEL_ATTRIBUTE_COUNT_LIMIT'],
        default: 128,
      }),
      textLengthLimit: option(lengthLimit, {
        about:
          'How many characters a body, and each text in attributes, may have. A longer one is cut, and ends in `…`.',
        variable: ['OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
        default: 65_536,
      }),
      redact: option(listOf(pattern, 'an array of RegExps, or sources of them'), {
        about:
          'Patterns. Every match in bodies and in texts of attributes becomes `REDACTED` before anything is written. Values of attributes that are named like credentials (`password`, `authorization`, `token` …) are always replaced, at any depth.',
        default: [],
        otherwise: 'none',
      }),
    },
  ),
};
