/**
 * `forktrace logs`: log records of all processes in one order, from the viewer and from journals.
 *
 * @module
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ForktraceError } from '../errors.js';
import { privateParent } from '../process/private-directory.js';
import type { LogListView, LogRowView } from '../viewer/api-types/logs.js';
import { JournalLogs } from './journal-logs.js';
import { journalsAt } from './journals-at.js';
import { logLine } from './log-line.js';
import { ViewerClient } from './viewer-client.js';

const MOST_ROWS = 1000;

export interface LogsOptions {
  slot?: number;
  trace?: string;
  level?: string;
  /** In the language of the viewer's logs page. */
  filter?: string;
  lines: number;
  follow?: boolean;
  viewer: string;
  json?: boolean;
}

interface Source {
  list(query: URLSearchParams): Promise<LogListView> | LogListView;
}

const FOLLOW_EVERY_MS = 300;

/**
 * @param path a service's journal directory, or one that holds several; without it the viewer, and this
 * user's journals for what the viewer has not got
 * @throws ForktraceError with code FORKTRACE_NO_JOURNAL or FORKTRACE_NO_VIEWER
 */
export async function logs(path: string | undefined, options: LogsOptions): Promise<void> {
  const sources = path === undefined ? await defaultSources(options) : [journalSource(path)];
  const query = new URLSearchParams({ q: conditions(options), limit: String(Math.min(options.lines, MOST_ROWS)) });
  const printed = sources.map(() => 0);
  for (let first = true; ; first = false) {
    const rows: LogRowView[] = [];
    for (const [index, source] of sources.entries()) {
      const list = await source.list(query);
      const fresh = list.rows.filter(({ id }) => id > printed[index]!);
      for (const { id } of fresh) printed[index] = Math.max(printed[index]!, id);
      rows.push(...fresh);
    }
    rows.sort((a, b) => a.timeMs - b.timeMs);
    for (const row of first ? rows.slice(-options.lines) : rows) {
      process.stdout.write(`${options.json ? JSON.stringify(row) : logLine(row)}\n`);
    }
    if (!options.follow) return;
    query.set('limit', String(MOST_ROWS));
    await delay(FOLLOW_EVERY_MS);
  }
}

function journalSource(path: string): Source {
  journalsAt(path);
  return new JournalLogs(() => journalsAt(path), 'first');
}

/** The viewer; and journals, for what it has not got or never will. */
async function defaultSources({ viewer }: LogsOptions): Promise<Source[]> {
  const client = new ViewerClient(viewer, process.env.FORKTRACE_VIEWER_TOKEN || undefined);
  const base = process.env.FORKTRACE_JOURNAL_DIR || privateParent().dir;
  const journals = new JournalLogs(() => directoriesBelow(base), 'unshipped');
  try {
    await client.get('logs?limit=1');
  } catch (error) {
    if (directoriesBelow(base).length === 0) throw error;
    return [journals];
  }
  return [{ list: async (query) => (await client.get<LogListView>(`logs?${query}`)) ?? noRows(viewer) }, journals];
}

function noRows(viewer: string): never {
  throw new ForktraceError('FORKTRACE_NO_VIEWER', [viewer, 'it has no log records to ask for']);
}

function directoriesBelow(base: string): string[] {
  try {
    return [base, ...readdirSync(base).map((name) => join(base, name))];
  } catch {
    return [];
  }
}

function conditions({ slot, trace, level, filter }: LogsOptions): string {
  return [
    ...(filter === undefined ? [] : [filter]),
    ...(slot === undefined ? [] : [`worker:${slot}`]),
    ...(trace === undefined ? [] : [`trace:${trace}`]),
    ...(level === undefined ? [] : [`level>=${level}`]),
  ].join(' ');
}
