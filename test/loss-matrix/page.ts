/**
 * docs/loss-matrix.md.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ENDED } from './world.js';

const line = (cells: string[]) => `| ${cells.join(' | ')} |`;

export function writePage(head: string[], table: string[][], notes: string[]): void {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  writeFileSync(
    fileURLToPath(new URL('../../docs/loss-matrix.md', import.meta.url)),
    `# What is lost when

Written by \`npm run loss-matrix\` on ${new Date().toISOString().slice(0, 10)}; do not edit. ${cpus()[0]?.model ?? 'unknown CPU'}, ${availableParallelism()} cores,
shared with other work; Node ${process.version}, forktrace ${version}.

In each row, two workers have answered ${ENDED} requests and a few more are in flight when the event of the first column happens. A cell says how many
of the ${ENDED} ended spans reached a real OTLP/gRPC endpoint, and how many of the requests in flight were reported, as finished or as interrupted. It
also says if spans arrived twice, if the process did not end as the untraced app does, or if a worker that was told to stop took longer than
1,600 ms, which is what pm2 allows by default.

- *ends untraced*: exit code or signal of the same app on plain \`node:cluster\` or pm2, measured in the same run. For pm2's
  workers it is what the daemon's log says.
- *journal*: \`pipeline: 'journal'\`, in both modes. *batch*: \`pipeline: 'batch'\`, the SDK's own BatchSpanProcessor under forktrace.
- *OpenTelemetry*: \`sdk-node\` with \`instrumentation-http\` in the workers of a \`node:cluster\` or of pm2, as its "Getting started" has it.
- –: the row does not apply to this column, or this machine does not allow it (a note below says so).
- *under load*: requests on keep-alive connections go on before, during and after the event. All must be answered, and all their spans delivered.
- If the journal has no space, a cell says how many spans arrived and how many the workers reported as lost; together these must be all.
- If the Collector is down or refuses, a cell counts what arrives once it is back, until nothing has arrived for 20 seconds.

${line(head)}
${line(head.map(() => '---'))}
${table.map(line).join('\n')}
${notes.map((note) => `\n${note}\n`).join('')}`,
  );
}
