/**
 * `npm run loss-matrix`: every row of the exit contract for every contestant, on the terminal and in docs/loss-matrix.md.
 * Exits non-zero when a journal cell is short. With words: only rows that contain one, and no page.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { rows } from './rows.js';
import { type Cell, contestants, ENDED, isShort, measure } from './world.js';

const words = process.argv.slice(2);
const chosen = rows.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
const head = ['', 'journal, mmap', 'journal, write', 'batch', 'OpenTelemetry'];

function text(cell: Cell | Error | undefined): string {
  if (cell === undefined) return '–';
  if (cell instanceof Error) return `failed: ${cell.message.split('\n')[0]}`;
  const { ended, inFlight, inFlightOf, duplicates, wrongExit } = cell;
  return [`${ended} · ${inFlight}/${inFlightOf}`, duplicates > 0 && `${duplicates} twice`, wrongExit]
    .filter(Boolean)
    .join(', ');
}

const table: string[][] = [];
let short = false;
for (const row of chosen) {
  // Side by side: they mostly wait.
  const cells = await Promise.all(
    contestants.map((contestant) => measure(row, contestant).catch((error: Error) => error)),
  );
  for (const cell of cells.slice(0, 2)) short ||= cell instanceof Error || (cell !== undefined && isShort(row, cell));
  table.push([row.name, ...cells.map(text)]);
  console.error(table.at(-1)!.join(' | '));
}
const terminal = new Table({ head, style: { head: [], border: [] } });
terminal.push(...table);
console.log(terminal.toString());

if (words.length === 0) {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  writeFileSync(
    fileURLToPath(new URL('../../docs/loss-matrix.md', import.meta.url)),
    `# What is lost when

Written by \`npm run loss-matrix\` on ${new Date().toISOString().slice(0, 10)}; do not edit. ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores,
shared with other work; Node ${process.version}, forktrace ${version}.

A cluster of two workers has answered ${ENDED} requests, a few more are in flight, and then it happens. A cell says how many of the
${ENDED} ended spans reached a real OTLP/gRPC endpoint, how many of the requests in flight were reported (finished or interrupted), and,
if so, that spans came twice or that the process did not end with the code or signal that is expected of its row.

- *journal*: \`pipeline: 'journal'\`, in both modes. *batch*: \`pipeline: 'batch'\`, the SDK's own BatchSpanProcessor under forktrace.
- *OpenTelemetry*: \`sdk-node\` with \`instrumentation-http\` in the workers of a \`node:cluster\`, as its "Getting started" has it.
- –: needs what the contestant does not have. pm2's rows are tests: \`npm test -- pm2/loss\`.
- Short in write mode: the file is written once per turn of the event loop, so a request that aborts, exhausts the heap or blocks
  the loop in the very turn in which it arrived is not in it yet. Spans that ended in earlier turns are.
- The watchdog's limit is 3 seconds in all rows: a heap that takes longer to run out ends with its SIGKILL.
- Where the Collector is away or refuses, a cell counts what arrives until nothing has for 20 seconds after it is back.
- Not in here: a journal whose disk is full.

${line(head)}
${line(head.map(() => '---'))}
${table.map(line).join('\n')}
`,
  );
}
process.exit(short ? 1 : 0);
