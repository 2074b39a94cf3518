/**
 * docs/exit-matrix.md.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { places } from './ways.js';
import { STEPS } from './world.js';

const ABOUT: Record<(typeof places)[number], string> = {
  tool: 'A command-line tool with `--import forktrace/register`, started by something that does not trace, as a shell',
  server: 'A server with the preload, started by something that does not trace, as systemd',
  'cluster worker': "A worker of the app's own `cluster.fork` code, with the preload in the primary as in the workers",
  thread:
    'A `worker_threads` thread of a process with the preload. `thread 1`: the thread alone ends, with that exit code',
  'pm2 fork': "pm2's fork mode, with the preload",
  'pm2 cluster': "pm2's cluster mode, with the preload",
  'our cluster': 'A worker of `startClusterWithTracing`',
};

export function writePage(sections: string[][][]): void {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const tables = places.map((place, index) =>
    [
      `## ${place[0]!.toUpperCase()}${place.slice(1)}\n\n${ABOUT[place]}.\n`,
      line(['it ends by', 'exit code or signal', 'shipper up', 'shipper down']),
      line(['---', '---', '---', '---']),
      ...sections[index]!.map(line),
    ].join('\n'),
  );
  writeFileSync(
    new URL('../../docs/exit-matrix.md', import.meta.url),
    `# How a process ended, as its spans say it

Written by \`npm run exit-matrix\` on ${new Date().toISOString().slice(0, 10)}; do not edit. ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores, Node ${process.version},
forktrace ${version}.

When each process ends, it has ended ${STEPS} spans and one span is still open. A cell shows the exit cause, the exit code and the signal of the
interrupted span. It is in bold, and says what is wrong, unless all of this holds: the ${STEPS} spans reach a real OTLP endpoint exactly once, the open
span arrives as an interrupted span, and the process ends as it does without tracing (second column).

In the column *shipper down*, the shipper is killed before the process ends, and again each time it is started until all processes have ended.
Then the shipper that the program starts, or \`forktrace ship\`, delivers the journal.

- \`unknown\`: a signal ends a process at once, so the process cannot record it. Only a parent that traces could tell, and there is none.
- \`heap_out_of_memory\` without a parent that tells the signal is concluded from the last memory figures of the process, which it writes at each
  full garbage collection. If the heap fills faster than that, the cause is \`unknown\`, or \`abort\` where a parent tells the signal.
- More than ${STEPS} spans: a killed shipper has had no time to record what it had already sent, so the next one sends it again.

[What is lost when](loss-matrix.md) is the same for servers with requests under load.

${tables.join('\n\n')}
`,
  );
}
