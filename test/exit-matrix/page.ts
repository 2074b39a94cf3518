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

Each process has ended ${STEPS} spans and has one open when it ends. A cell is short, and then in bold, unless the ${STEPS} spans reach a real OTLP
endpoint once, the open one comes as an interrupted span, the process ends as it does untraced (second column), and the interrupted span has
the exit cause, the exit code and the signal. *Shipper down*: it is killed before the process ends, and as often as it is started until
all have ended; then the one that the program starts, or \`forktrace ship\`, delivers.

\`unknown\`: a process that a signal ends at once cannot say so, and nobody who traces is its parent. \`heap_out_of_memory\` where nobody
tells the signal is read from the last figures of the process, which it writes at each full collection: one that fills its heap faster than it
comes to write them is \`unknown\`, or \`abort\` where a parent tells the signal. A thread that does has no exit code in its spans: its parent alone is told.
More than ${STEPS} spans: a shipper that is killed has no time to note what it has sent, and the next one sends it again.
[What is lost when](loss-matrix.md) has the requests of servers under load.

${tables.join('\n\n')}
`,
  );
}
