import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src/', import.meta.url));

/** Without comments and type-only imports, which are gone at run time. */
const STATIC = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'(\.[^']+)';/gm;
const DYNAMIC = /\b(?:import|require\w*|\))\(\s*'(\.[^']+)'/g;

interface Imports {
  /** Loaded with the file. */
  static: string[];
  /** And what it loads later. */
  all: string[];
}

const files = new Map<string, Imports>();
for (const name of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
  if (/\.(?:tsx?|cts)$/.test(name) && !name.endsWith('.d.ts')) files.set(name, importsOf(name));
}

function importsOf(file: string): Imports {
  const code = readFileSync(src + file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const targets = (pattern: RegExp) =>
    [...code.matchAll(pattern)].filter(([text]) => !hasTypesOnly(text)).map(([, target]) => sourceOf(file, target!));
  const loaded = targets(STATIC);
  return { static: loaded, all: [...loaded, ...targets(DYNAMIC)] };
}

/** `import { type A, type B } from` */
function hasTypesOnly(statement: string): boolean {
  const names = /\{([^}]*)\}/.exec(statement)?.[1];
  if (names === undefined || !/^(?:import|export)\s*\{/.test(statement)) return false;
  return names
    .split(',')
    .filter((name) => name.trim() !== '')
    .every((name) => /^\s*type\s/.test(name));
}

function sourceOf(file: string, target: string): string {
  const path = normalize(join(dirname(file), target));
  for (const source of [path, path.replace(/\.([cm]?)js$/, '.$1ts'), path.replace(/\.js$/, '.tsx')]) {
    if (!source.endsWith('.js') && readdirSync(join(src, dirname(source))).includes(source.split('/').at(-1)!)) {
      return source;
    }
  }
  return path;
}

/** Of files directly in src/ their name without the ending. */
const folderOf = (file: string) =>
  file.includes('/') ? file.slice(0, file.indexOf('/')) : file.replace(/\.(?:tsx?|cts)$/, '');

test('all imports are found', () => {
  const known = new Set(files.keys());
  const missing = [...files].flatMap(([file, { all }]) =>
    all.filter((one) => !known.has(one)).map((one) => [file, one]),
  );
  assert.deepEqual(missing, []);
  assert.ok(files.get('journal/encoder.ts')!.static.includes('wire/protobuf-writer.ts'));
  assert.ok(!files.get('journal/span-log.ts')!.static.includes('wire/memory.ts'), 'a type-only import');
});

/** Single files of src/ that any folder may import; they import no folder. */
const GROUND = [
  'api',
  'load-bundle',
  'number-of',
  'errors',
  'own-files',
  'printable',
  'report-failure',
  'secret-name',
  'untraced',
  'warn',
];

/** What a folder may import at run time, from the ground up: each names only folders that stand before it. */
const ALLOWED: Record<string, string[]> = {
  wire: [],
  sdk: [],
  span: [],
  process: [],
  config: ['wire', 'process'],
  pm2: ['process', 'config'],
  propagation: ['wire', 'sdk', 'span', 'process', 'pm2'],
  journal: ['wire', 'process'],
  tracer: ['wire', 'journal'],
  forensics: ['wire', 'process', 'journal'],
  shipper: ['wire', 'sdk', 'process', 'config', 'pm2', 'journal', 'forensics'],
  http: ['wire', 'config', 'process', 'propagation', 'tracer'],
  logs: ['wire', 'process', 'config', 'journal', 'tracer'],
  // Of http/ the check of Host headers alone.
  viewer: ['wire', 'process', 'journal', 'forensics', 'http'],
  instrumentation: ['process', 'config'],
  worker: [
    'instrumentation',
    ...['wire', 'sdk', 'span', 'pm2', 'process', 'config', 'propagation', 'journal', 'tracer', 'forensics'],
    ...['shipper', 'http', 'logs'],
  ],
  coordinator: ['wire', 'process', 'config', 'journal', 'tracer', 'forensics', 'shipper', 'logs', 'viewer', 'worker'],
  preload: ['wire', 'pm2', 'process', 'config', 'propagation', 'http', 'logs', 'instrumentation', 'worker'],
  mcp: [],
  cli: ['mcp', 'wire', 'pm2', 'process', 'config', 'journal', 'forensics', 'instrumentation', 'shipper'].concat([
    'viewer',
    'coordinator',
  ]),
  register: ['preload'],
  pino: ['logs'],
  index: ['sdk', 'span', 'process', 'propagation', 'shipper', 'http', 'worker', 'coordinator'],
};

test('dependencies between folders point one way', () => {
  const above = [...GROUND];
  for (const [folder, imports] of Object.entries(ALLOWED)) {
    for (const one of imports) assert.ok(above.includes(one), `${folder} → ${one}: ${one} does not stand before it`);
    above.push(folder);
  }
  const wrong: string[] = [];
  for (const [file, { all }] of files) {
    const from = folderOf(file);
    const allowed = GROUND.includes(from) ? GROUND : [from, ...GROUND, ...(ALLOWED[from] ?? [])];
    for (const target of all) if (!allowed.includes(folderOf(target))) wrong.push(`${file} → ${target}`);
  }
  assert.deepEqual(wrong, []);
  const ofHttp = [...files].filter(([file]) => folderOf(file) === 'viewer').flatMap(([, { all }]) => all);
  assert.deepEqual(
    ofHttp.filter((target) => folderOf(target) === 'http'),
    ['http/host.ts'],
  );
});

test('no files import each other at run time, in a circle of any length', () => {
  assert.deepEqual(circles(files), []);
  const made = ['a', 'b', 'c', 'd'].map((file, i, all): [string, Imports] => [
    file,
    { static: [all[(i + 1) % 3]!], all: [] },
  ]);
  assert.deepEqual(circles(new Map(made)), [['a', 'b', 'c']]);
});

/** Tarjan's strongly connected components of more than one file. */
function circles(files: ReadonlyMap<string, Imports>): string[][] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const next of files.get(file)?.static ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file)!, low.get(next)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1 || files.get(file)?.static.includes(file)) found.push(circle.sort());
  };
  for (const file of files.keys()) if (!index.has(file)) visit(file);
  return found.sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}
