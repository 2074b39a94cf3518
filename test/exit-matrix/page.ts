/**
 * docs/exit-matrix.md.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { generatedBy } from '#bench/generated-by.js';
import { places } from './ways.js';
import { STEPS } from './world.js';

const ABOUT: Record<(typeof places)[number], string> = {
  tool: 'A command-line tool with `--import forktrace/register`, started by something that does not run forktrace, such as a shell',
  server: 'A server with the preload, started by something that does not run forktrace, such as systemd',
  'cluster worker': "A worker of the app's own `cluster.fork` code, with the preload in the primary and in the workers",
  thread:
    'A `worker_threads` thread of a process with the preload. `thread 1`: the thread alone ends, with that exit code',
  'pm2 fork': "An app in pm2's fork mode, with the preload",
  'pm2 cluster': "An app in pm2's cluster mode, with the preload",
  'our cluster': 'A worker of `startClusterWithTracing`',
};

const headingOf = (place: string) => (place.startsWith('pm2') ? place : `${place[0]!.toUpperCase()}${place.slice(1)}`);

export function writePage(sections: string[][][]): void {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const tables = places.map((place, index) =>
    [
      `## ${headingOf(place)}\n\n${ABOUT[place]}.\n`,
      line(['it ends by', 'exit code or signal', 'shipper up', 'shipper down']),
      line(['---', '---', '---', '---']),
      ...sections[index]!.map(line),
    ].join('\n'),
  );
  writeFileSync(
    new URL('../../docs/exit-matrix.md', import.meta.url),
    `# How a process ended, as its spans say it

${generatedBy('npm run exit-matrix')}

Each process has ended ${STEPS} spans, and has one span open, when it ends. A cell shows the exit cause, and the exit code or the signal, that the
interrupted span has. A cell in bold says what went wrong. In every other cell the ${STEPS} spans reached a real OTLP endpoint exactly once, the open
span arrived once, as an interrupted span, with all that can be known of the end, and the process ended as it does without tracing (second
column).

In the column *shipper down*, the shipper is killed before the process ends, and again each time it is started until all processes have ended.
Then the shipper that the program starts, or \`forktrace ship\`, delivers the journal.

- \`unknown\`: a signal ends a process at once, so the process cannot record it. Only a parent that runs forktrace could, and there is none.
- \`heap_out_of_memory\`: where nobody keeps what V8 writes to standard error, as the coordinator and pm2 do, it is concluded from the process's last
  memory figures, which it writes at each full garbage collection. If the heap fills faster than that, the cause is \`unknown\`, or \`abort\`
  where a parent knows the signal.
- More than ${STEPS} spans: a killed shipper has had no time to record what it had already sent, so the next one sends it again.

[What is lost when](loss-matrix.md) measures the same for servers that have requests in flight.

${tables.join('\n\n')}
`,
  );
}
