/**
 * `npm run bench:killed`: what is left of the last requests of a server that is killed. Each server answers
 * 100 requests, one after the other, and gets SIGKILL as soon as the last answer is in. Counted are the
 * requests that the endpoint hears of, by a word in the URL of each, which every tracer reports;
 * before that, one request is followed to the endpoint, without a kill.
 *
 *   npm run bench:killed -- --contestants forktrace-journal-mmap,otel-2
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { get } from 'node:http';
import { Command } from 'commander';
import { probe } from './arrival.js';
import { Contestant } from './contestant.js';
import { type KilledResults, renderTable, saveResults } from './report.js';

const options = new Command('bench:killed')
  .option('--contestants <names>', 'comma-separated', 'forktrace-journal-mmap,otel-2,dd-trace')
  .option('--requests <n>', 'answered before the server is killed', Number, 100)
  .option('--node <path>', 'the Node.js that the servers run on', process.execPath)
  .option('--json <name>', 'where the result goes', 'killed')
  .parse()
  .opts<{ contestants: string; requests: number; node: string; json: string }>();

/** This long after a report there is none to come: a shipper sends within 2 s, a dead process nothing. */
const QUIET_MS = 10_000;

const answered = (port: number, path: string) =>
  new Promise<void>((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, agent: false }, (response) => response.resume().once('end', resolve)).once(
      'error',
      reject,
    );
  });

/** How many of the requests have been reported. */
async function reported(contestant: Contestant, asked: number): Promise<number> {
  let found = -1;
  for (let since = performance.now(); ; ) {
    const { otlp, posted } = await contestant.sink.ask<{ otlp: string[]; posted: string[] }>('kept');
    const bodies = [...otlp.map((body) => Buffer.from(body, 'base64').toString('latin1')), ...posted].join('');
    const words = new Set(bodies.match(/killed-\d+-/g));
    if (words.size !== found) since = performance.now();
    found = words.size;
    if (found === asked || performance.now() - since > QUIET_MS) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function measure(name: string): Promise<number> {
  const contestant = new Contestant(name);
  try {
    await contestant.start('hello', { nodePath: options.node });
    // One that reports nothing at all would look like one that has lost everything.
    await probe(contestant, '/', 1);
    contestant.sink.tell('keep');
    for (let at = 0; at < options.requests; at++) await answered(contestant.port, `/?q=killed-${at}-`);
    await contestant.server.stop('SIGKILL');
    return await reported(contestant, options.requests);
  } finally {
    await contestant.stop();
  }
}

const rows: KilledResults['rows'] = [];
for (const name of options.contestants.split(',')) rows.push({ name, kept: await measure(name) });
console.log(
  renderTable(
    ['', `of ${options.requests} requests before SIGKILL`],
    rows.map(({ name, kept }) => [name, kept]),
  ),
);
const node = execFileSync(options.node, ['--version'], { encoding: 'utf8' }).trim();
const results: KilledResults = { node, requests: options.requests, rows };
saveResults(options.json, results);
