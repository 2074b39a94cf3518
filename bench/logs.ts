/**
 * `npm run bench:logs`: CPU time of one log record, of all threads of the process: the logs API into the
 * journal against OpenTelemetry's SDK, which makes OTLP of it in batches of 512; and a whole `pino.info` into
 * the journal against pino's file, its transport `pino/file` and OpenTelemetry's instrumentation of pino.
 * Excluded: sending. Included: garbage collection, the active span. Each contestant has processes of its own;
 * rounds are interleaved, and a ratio compares two contestants of one round.
 *
 *   npm run bench:logs
 *   npm run bench:logs -- --rounds 15 --page
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { install } from './contestant.js';
import { generatedBy } from './generated-by.js';
import { BenchProcess } from './processes.js';
import { renderTable } from './report.js';
import { median, spread } from './statistics.js';

const options = new Command('bench:logs')
  .option('--rounds <n>', 'rounds of each process', Number, 8)
  .option('--processes <n>', 'processes of each contestant', Number, 2)
  .option('--records <n>', 'records of a round', Number, 20_000)
  .option('--node <path>', 'the Node.js to measure on')
  .option('--page', 'write docs/benchmarks-logs.md')
  .parse()
  .opts<{ rounds: number; processes: number; records: number; node?: string; page?: boolean }>();

/** Those of a case are compared with its first. */
const cases: Record<string, Record<string, string>> = {
  'a record by the logs API': {
    'record, forktrace': 'forktrace',
    'record, OpenTelemetry': "OpenTelemetry's SDK",
  },
  'pino.info': {
    forktrace: '`forktrace/pino`',
    file: '`pino.destination(file)`',
    'file, sync': 'with `sync: true`',
    transport: 'transport `pino/file`',
    OpenTelemetry: "OpenTelemetry's instrumentation, and `/dev/null`",
  },
};

/** V8 compiles in the first rounds. */
const WARM_UP = 3;

install('otel-2');
const program = fileURLToPath(new URL('logs-contestant.js', import.meta.url));
const nodePath = options.node;
const rows: string[][] = [];
for (const [title, contestants] of Object.entries(cases)) {
  const names = Object.keys(contestants);
  const samples = new Map(names.map((name) => [name, [] as number[]]));
  for (let process = 0; process < options.processes; process++) {
    const processes = names.map((name) => new BenchProcess(program, [name], { ...(nodePath && { nodePath }) }));
    for (let round = -WARM_UP; round < options.rounds; round++) {
      for (let index = 0; index < names.length; index++) {
        const turn = (index + WARM_UP + round) % names.length;
        const { nanos } = await processes[turn]!.ask<{ nanos: number }>({ records: options.records });
        if (round >= 0) samples.get(names[turn]!)!.push(nanos);
      }
    }
    await Promise.all(processes.map((one) => one.stop()));
  }
  const [ours] = [...samples.values()];
  for (const [name, nanos] of samples) {
    const ratios = nanos.map((one, round) => one / ours![round]!);
    const isOurs = nanos === ours;
    rows.push([
      isOurs ? title : '',
      contestants[name]!,
      median(nanos).toFixed(0),
      isOurs ? '1' : median(ratios).toFixed(2),
      isOurs ? '' : spread(ratios).toFixed(3),
    ]);
  }
}
const head = ['', '', 'CPU ns', '÷ forktrace', '±'];
console.log(renderTable(head, rows));
if (options.page) writePage();

function writePage(): void {
  const node = execFileSync(nodePath ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  writeFileSync(
    fileURLToPath(new URL('../docs/benchmarks-logs.md', import.meta.url)),
    `# What a log line costs

${generatedBy('npm run bench:logs -- --page', node)}

${line(head)}
${line(head.map(() => '---'))}
${rows.map(line).join('\n')}

- *CPU ns* is the CPU time of all threads of the process for one record with a text of 58 characters and 3 attributes, logged in an active span:
  the median of ${options.processes} × ${options.rounds} rounds of ${options.records} records. *÷ forktrace* is the median of the rounds' ratios, and ± half the distance between their
  quartiles. Times say little about another machine; ratios say more.
- forktrace writes into the mapped journal. When the call returns, no kill loses the line any more. What its shipper spends is not included, nor
  what OpenTelemetry spends to send.
- pino's files are measured until all lines are written, with the transport's worker thread.
- OpenTelemetry encodes records as OTLP in batches of 512, by its own serializer. With pino it is its instrumentation of pino, and pino writes
  each line to \`/dev/null\` as well.
`,
  );
}
