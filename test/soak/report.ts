/**
 * The account of a soak, and docs/soak.md.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generatedBy } from '#bench/generated-by.js';
import type { Result } from './account.js';

interface Soak {
  minutes: number;
  /** How often each fault was switched on. */
  times: ReadonlyMap<string, number>;
  result: Result;
  /** stderr of all processes. */
  said: string;
  filesLeft: string[];
}

/** @returns whether nothing is missing that is not accounted for */
export function report(soak: Soak): boolean {
  const { times, result, said, filesLeft } = soak;
  const saidLost = sum(said, /Spans lost: ([\d,]+)/g) + sum(said, /([\d,]+) spans? dropped before they were shipped/g);
  const lost = Object.values(result.lostTo).reduce((total, spans) => total + spans, 0);
  const isComplete =
    result.missing.length === 0 && result.untold.length === 0 && lost - result.lostByKilled <= saidLost;
  const rows: [string, string | number][] = [
    ['spans ended, without those that are open until the end', result.written],
    ['different spans received, with those', result.received],
    ['spans that came more than once', result.twice],
    ['spans that were refused as bad data', result.refused],
    ...Object.entries(result.lostTo).map(([fault, spans]): [string, number] => [`lost while ${fault}`, spans]),
    ['lost in processes that were killed before they could say so', result.lostByKilled],
    ['lost, as the processes said themselves', saidLost],
    ['missing without a reason', result.missing.length],
    ['processes with a span in flight that were killed', result.killed],
    ['killed processes without an interrupted span', result.untold.length],
    ['requests that were too large and were divided', said.match(/refuses a request of \d+ bytes/g)?.length ?? 0],
    ['files left in the journals', filesLeft.length],
  ];
  const table = `| | |
|---|---:|
${rows.map(([what, count]) => `| ${what} | ${count.toLocaleString('en')} |`).join('\n')}

| fault | times |
|---|---:|
${[...times].map(([name, count]) => `| ${name} | ${count} |`).join('\n')}
`;
  console.log(table);
  for (const [what, names] of Object.entries({ ...result, filesLeft })) {
    if (Array.isArray(names) && names.length > 0) console.log(`${what}: ${names.slice(0, 50).join(', ')}`);
  }
  if (process.argv.includes('--page')) writePage(soak.minutes, table);
  return isComplete;
}

function sum(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((total, [, count]) => total + Number(count!.replaceAll(',', '')), 0);
}

function writePage(minutes: number, table: string): void {
  writeFileSync(
    fileURLToPath(new URL('../../docs/soak.md', import.meta.url)),
    `# A soak with faults

${generatedBy('npm run soak -- --faults --page')}

For ${minutes} minutes two services run: two plain processes that send over gRPC, and a cluster of two workers that sends over HTTP. Each process
ends 50 spans a second, and has one more span open until it ends. The journals are on a file system of 96 MiB. The endpoint takes requests of up
to 128 KiB and asks for a login. Faults are switched on and off one after the other, for some seconds each: first every fault once, then at
random. Every 97th span has a name that the endpoint refuses during one of the faults. At the end every span has to be accounted for.

- *More than once*: if an answer is lost with its connection or with a shipper that is killed, the request is sent again.
- *Lost*: only spans that ended while the journal had no file to write to. The process that lost them says how many.

${table}`,
  );
}
