/**
 * Writes the tracing options of an ecosystem file into a file that pm2's processes read. Environment
 * variables would not do: they hold only text, OpenTelemetry appends a path to some of the URLs, and `pm2
 * env`, `pm2 jlist` and pm2's dump show them to everybody who reads these.
 *
 * @module
 */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describeValue, ForktraceError } from '../errors.js';
import { pathSegment } from '../process/path-segment.js';

/**
 * Writes the options of one app, beside pm2's own dump, so that `pm2 save` and `pm2 resurrect` work.
 *
 * @returns the path of the file
 */
export function writeTracingFile(app: string, options: object, at: string): string {
  const text = JSON.stringify(options, (name, value) => asJson(value, `${at}tracing ${name}`), 2);
  const directory = join(process.env.PM2_HOME ?? join(homedir(), '.pm2'), 'forktrace');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  const path = join(directory, `${pathSegment(app)}.json`);
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${text}\n`, { mode: 0o600 });
  renameSync(draft, path);
  return path;
}

function asJson(value: unknown, option: string): unknown {
  const isText = value instanceof RegExp && value.flags === '';
  if (isText) return value.source;
  const hasNoText =
    typeof value === 'function' || typeof value === 'bigint' || typeof value === 'symbol' || value instanceof RegExp;
  // JSON writes null for it, which is another value.
  const isNoNumber = typeof value === 'number' && !Number.isFinite(value);
  if (!hasNoText && !isNoNumber) return value;
  const expected = 'a value that JSON can hold; for anything else name a module by tracing.configFile';
  throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [option, describeValue(value), expected]);
}
