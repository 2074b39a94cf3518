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

Two workers have answered ${ENDED} requests, a few more are in flight, and then it happens. A cell says how many of the ${ENDED} ended spans
reached a real OTLP/gRPC endpoint, how many of the requests in flight were reported (finished or interrupted), and, if so, that
spans came twice, that the process did not end as the untraced app does, or that a worker which was told to stop took longer
than 1,600 ms, which is what pm2 gives it.

- *ends untraced*: exit code or signal of the same app on plain \`node:cluster\` or pm2, measured in the same run. Of pm2's workers it is
  what the daemon's log says.
- *journal*: \`pipeline: 'journal'\`, in both modes. *batch*: \`pipeline: 'batch'\`, the SDK's own BatchSpanProcessor under forktrace.
- *OpenTelemetry*: \`sdk-node\` with \`instrumentation-http\` in the workers of a \`node:cluster\` or of pm2, as its "Getting started" has it.
- –: needs what the contestant does not have, or what this machine does not allow (then it says so below).
- Under load: requests on kept-open connections before, while and after it happens. All must be answered, and all be delivered.
- Where the journal has no space a cell says how many spans arrived and how many the workers said they lost; together that must be all.
- Where the Collector is away or refuses, a cell counts what arrives until nothing has for 20 seconds after it is back.

${line(head)}
${line(head.map(() => '---'))}
${table.map(line).join('\n')}
${notes.map((note) => `\n${note}\n`).join('')}`,
  );
}
