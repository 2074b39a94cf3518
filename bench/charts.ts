/**
 * The charts of docs/benchmarks.md, drawn from bench/results/.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { benchRoot } from './processes.js';
import { type HttpResults, loadResults } from './report.js';

const labels: Record<string, string> = {
  untraced: 'untraced',
  'forktrace-journal-mmap': 'forktrace',
  'forktrace-journal-write': 'forktrace (write)',
  'forktrace-batch': 'forktrace (batch)',
  'otel-2': 'OpenTelemetry 2.x',
  'otel-3': 'OpenTelemetry 3.x',
};

interface Bar {
  name: string;
  node: string;
  value: number;
}

export async function writeCharts(): Promise<void> {
  const dir = join(benchRoot, '../docs/charts');
  mkdirSync(dir, { recursive: true });
  const results = ['http-hello-node20', 'http-hello-node24'].map((name) => loadResults<HttpResults>(name));
  const bars = (value: (row: HttpResults['summary'][number]) => number | undefined): Bar[] =>
    results.flatMap(({ node, summary }) =>
      summary.flatMap((row) => {
        const measured = value(row);
        const name = labels[row.name];
        return measured === undefined || name === undefined
          ? []
          : [{ name, node: `Node ${node.split('.')[0]!.slice(1)}`, value: measured }];
      }),
    );
  const throughput = bars((row) => row.throughputRatio);
  const cpu = bars((row) => (row.name === 'untraced' ? undefined : row.addedWorkerMicros));
  writeFileSync(join(dir, 'throughput.svg'), await draw(throughput, 'hello-world throughput, untraced = 1', '.2f'));
  writeFileSync(join(dir, 'cpu.svg'), await draw(cpu, 'CPU added per request in the worker, µs', '.1f'));
}

async function draw(values: Bar[], title: string, format: string): Promise<string> {
  const order = [...new Set(values.map(({ name }) => name))];
  const spec: TopLevelSpec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, anchor: 'start', fontSize: 14 },
    background: 'white',
    data: { values },
    facet: {
      row: { field: 'node', header: { title: null, labelFontWeight: 'bold', labelAngle: 0, labelAlign: 'left' } },
    },
    spec: {
      width: 460,
      height: { step: 24 },
      encoding: {
        y: { field: 'name', sort: order, axis: { title: null } },
        x: { field: 'value', type: 'quantitative', axis: { title: null, grid: false } },
      },
      layer: [
        {
          mark: 'bar',
          encoding: {
            color: {
              condition: { test: "indexof(datum.name, 'forktrace') === 0", value: '#1f77b4' },
              value: '#b8b8b8',
            },
          },
        },
        { mark: { type: 'text', align: 'left', dx: 4 }, encoding: { text: { field: 'value', format } } },
      ],
    },
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}
