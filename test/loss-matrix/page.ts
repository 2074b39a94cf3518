/**
 * docs/loss-matrix.md.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { generatedBy } from '#bench/generated-by.js';
import { ENDED } from './world.js';

const line = (cells: string[]) => `| ${cells.join(' | ')} |`;

export function writePage(head: string[], table: string[][], notes: string[]): void {
  writeFileSync(
    fileURLToPath(new URL('../../docs/loss-matrix.md', import.meta.url)),
    `# What is lost when

${generatedBy('npm run loss-matrix')}

In each row two workers have answered ${ENDED} requests together, and a few more are in flight, when the event of the first column happens.
\`100 · 4/4\` says that the spans of 100 answered requests reached a real OTLP/gRPC endpoint, and that 4 of 4 requests in flight were reported, as
finished or as interrupted. Where \`50\` arrived, the worker that ended lost its spans, and the other one did not. A cell also says if spans
arrived twice, if the process did not end as the untraced app does, or if a worker that was told to stop took longer than 1,600 ms, which is what
pm2 allows by default.

- *ends untraced*: exit code or signal of the same app on plain \`node:cluster\` or pm2, measured in the same run. Those of pm2's workers are
  from the log of pm2's daemon.
- *journal*: \`pipeline: 'journal'\`, in both modes. *batch*: \`pipeline: 'batch'\`, the SDK's own BatchSpanProcessor under forktrace.
- *OpenTelemetry*: \`sdk-node\` with \`instrumentation-http\` in the workers of a \`node:cluster\` or of pm2, as its "Getting started" has it.
- –: the row does not apply to this column, or this machine does not allow it (a note below says so).
- *under load*: requests on keep-alive connections go on before, during and after the event. All must be answered, and all their spans delivered.
- Where the journal has no space, a cell says how many spans arrived and how many the workers reported as lost. Together these must be all.
- Where the Collector is down or refuses, a cell counts what arrives once it is back, until nothing has arrived for 20 seconds.

${line(head)}
${line(head.map(() => '---'))}
${table.map(line).join('\n')}
${notes.map((note) => `\n${note}\n`).join('')}`,
  );
}
