/**
 * What one contestant made of one row, against the exit contract and the untraced app.
 *
 * @module
 */
import type { Row } from './rows.js';
import { type Contestant, ENDED, World } from './world.js';

/** pm2's `kill_timeout` when nobody has set it. */
const DEADLINE_MS = 1600;

/** How the processes ended that a row is about. */
export interface End {
  /** Exit code or signal; `still there`, when it did not end. */
  exit: string;
  /** From the event to the end of the last one. */
  afterMs: number;
}

export interface Cell {
  /** Spans of requests that had been answered before it happened. */
  ended: number;
  /** Of requests that were in flight: finished or interrupted. */
  inFlight: number;
  inFlightOf: number;
  duplicates: number;
  /** Where the journal cannot take all: what arrived, and what the workers said was lost. */
  loss: { delivered: number; said: number; of: number } | undefined;
  /** Of requests that were made meanwhile. */
  load: { answered: number; failed: number; lost: number } | undefined;
  end: End | undefined;
}

export async function measure(row: Row, contestant: Contestant): Promise<Cell | undefined> {
  if (row.needs && contestant === 'otel') return undefined;
  if (row.needs === 'journal' && !contestant.startsWith('journal')) return undefined;
  return inWorld(row, contestant, (world) => world.account());
}

/**
 * How the same app ends without tracing, by plain node:cluster or pm2; undefined where the row ends nothing.
 */
export function measureUntraced(row: Row): Promise<End | undefined> {
  if (row.ends === undefined) return Promise.resolve(undefined);
  return inWorld(row, 'untraced', (world) => world.live());
}

async function inWorld<T>(
  row: Row,
  contestant: Contestant | 'untraced',
  act: (world: World) => Promise<T>,
): Promise<T> {
  const cleanups: (() => unknown)[] = [];
  try {
    return await act(new World({ after: (fn) => cleanups.push(fn) }, row, contestant));
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

/** What the cell says, and which of it is less than the exit contract promises. */
export function judge(row: Row, cell: Cell, untraced: End | undefined): { text: string; short: string[] } {
  const { ended, inFlight, inFlightOf, duplicates, loss, load, end } = cell;
  const facts: { text: string; short?: boolean }[] = [];
  if (loss === undefined) {
    facts.push({ text: `${ended} · ${inFlight}/${inFlightOf}`, short: ended < ENDED || inFlight < inFlightOf });
  } else {
    // A row in which all fits, or nothing, says nothing.
    const short = loss.delivered + loss.said !== loss.of || loss.delivered === 0 || loss.said === 0;
    facts.push({ text: `${loss.delivered} + ${loss.said} said lost of ${loss.of}`, short });
    if (short) facts.push({ text: 'does not add up' });
  }
  if (load) {
    const { answered, failed, lost } = load;
    facts.push({ text: `${answered} meanwhile, ${failed} failed, ${lost} lost`, short: failed > 0 || lost > 0 });
  }
  if (duplicates > 0) facts.push({ text: `${duplicates} twice`, short: !row.mayRepeat });
  const exit = row.insteadOfUntraced?.exit ?? untraced?.exit;
  if (end && end.exit !== exit) facts.push({ text: `exit ${end.exit}, not ${exit}`, short: true });
  if (end && row.told && end.afterMs > DEADLINE_MS) facts.push({ text: `after ${end.afterMs} ms`, short: true });
  return {
    text: facts.map(({ text }) => text).join(', '),
    short: facts.filter(({ short }) => short).map(({ text }) => text),
  };
}
