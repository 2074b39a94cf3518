/**
 * `npm run loss-matrix`: every row of the exit contract for every contestant, on the terminal and in
 * docs/loss-matrix.md. Exits non-zero when a journal cell is short. With words: only rows that contain one,
 * and no page.
 *
 * @module
 */
import Table from 'cli-table3';
import { type Cell, judge, measure, measureUntraced } from './cell.js';
import { NotPossible } from './journal-disk.js';
import { installOtelStack } from './otel-stack.js';
import { writePage } from './page.js';
import { type Row, rows } from './rows.js';
import { contestants } from './world.js';

installOtelStack();

/** Side by side, as they mostly wait; but pm2 is a lot of processes. */
async function measureAll(row: Row): Promise<(Cell | Error | undefined)[]> {
  const cells: Promise<Cell | Error | undefined>[] = [];
  for (const contestant of contestants) {
    const cell = measure(row, contestant).catch((error: Error) => error);
    if (row.pm2) await cell;
    cells.push(cell);
  }
  return Promise.all(cells);
}

const words = process.argv.slice(2);
const table: string[][] = [];
const notes: string[] = [];
let short = false;
for (const row of rows.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))) {
  const untraced = await measureUntraced(row).catch((error: Error) => error);
  const cells = untraced instanceof Error ? contestants.map(() => untraced) : await measureAll(row);
  const end = untraced instanceof Error ? undefined : untraced;
  const texts = cells.map((cell, index) => {
    if (cell === undefined) return '–';
    const notPossible = cell instanceof NotPossible;
    if (notPossible) notes.push(`${row.name}: ${cell.message}`);
    if (cell instanceof Error) {
      short ||= index < 2 && !notPossible;
      return notPossible ? '–' : `failed: ${cell.message.split('\n')[0]}`;
    }
    const verdict = judge(row, cell, end);
    short ||= index < 2 && verdict.short.length > 0;
    return verdict.text;
  });
  const { exit, because } = row.insteadOfUntraced ?? {};
  table.push([row.name, exit ? `${end?.exit}¹` : (end?.exit ?? ''), ...texts]);
  if (exit) notes.push(`¹ ${row.name}: with forktrace ${exit}, as ${because}.`);
  console.error(table.at(-1)!.join(' | '));
}
const head = ['', 'ends untraced', 'journal, mmap', 'journal, write', 'batch', 'OpenTelemetry'];
const terminal = new Table({ head, style: { head: [], border: [] } });
terminal.push(...table);
console.log([terminal.toString(), ...new Set(notes)].join('\n'));
if (words.length === 0) writePage(head, table, [...new Set(notes)]);
process.exit(short ? 1 : 0);
