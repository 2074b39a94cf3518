import { defaultOf, expectedOf } from './entries.mjs';

/** Where the names in the types come from. */
const IMPORTS = {
  'node:net': ['ListenOptions'],
  '@opentelemetry/api': ['Attributes', 'Meter', 'MeterProvider', 'Span', 'TextMapPropagator', 'TracerProvider'],
  '../sdk/types.js': ['IdGenerator', 'Resource', 'Sampler', 'SpanExporter', 'SpanProcessor'],
  '../http/types.js': ['HttpRequest', 'HttpResponse'],
  './types.js': ['ChildExit', 'InstrumentationLike', 'SpanProcessorParts', 'StopReason', 'WorkerContext'],
};
const WIDTH = 110;

/** src/config/tracing-config.ts: the public types of all options. */
export function tracingConfigTypes({ sections }) {
  const table = Object.assign({}, ...Object.values(sections));
  const blocks = [];
  const about =
    'All options. Config beats environment. What opens sockets or timers is a factory, so that it is created in the worker. ' +
    'A wrong value stops the start with a ForktraceError, code FORKTRACE_CONFIG_INVALID, that names the option.';
  const main = interfaceOf('TracingConfig', about, table, blocks);
  const body = [...blocks, main].join('\n');
  const imports = Object.entries(IMPORTS)
    .map(([module, names]) => [
      module,
      names.filter((name) => new RegExp(`\\b${name}\\b`).test(body.replace(/^ *\/?\*.*$/gm, ''))),
    ])
    .filter(([, names]) => names.length > 0)
    .map(([module, names]) => importOf(module, names));
  return [
    '/**',
    ' * Generated from the table of options (src/config/options) by `npm run generate`.',
    ' *',
    ' * @module',
    ' */',
    ...imports,
    '',
    body,
  ].join('\n');
}

function importOf(module, names) {
  const line = `import type { ${names.join(', ')} } from '${module}';`;
  if (line.length <= 120) return line;
  return `import type {\n${names.map((name) => `  ${name},`).join('\n')}\n} from '${module}';`;
}

function interfaceOf(name, about, table, blocks) {
  const members = Object.entries(table).map(([member, entry]) => {
    if ('entries' in entry) {
      blocks.push(interfaceOf(entry.typeName, `${entry.about}`, entry.entries, blocks));
      const type = entry.toggle ? `boolean | ${entry.typeName}` : entry.typeName;
      const fallback = entry.toggle ? defaultOf(entry, '') : undefined;
      return `${comment('  ', entry.about, fallback)}\n  ${member}?: ${type};`;
    }
    const { about: sentence, kind } = entry;
    const takes = /^(string|boolean|number)/.test(kind.type) || entry.unit ? ` Takes ${expectedOf(entry)}.` : '';
    return `${comment('  ', sentence + takes, defaultOf(entry, ''))}\n  ${member}?: ${kind.type};`;
  });
  return `${comment('', about)}\nexport interface ${name} {\n${members.join('\n')}\n}\n`;
}

function comment(indent, text, fallback) {
  const plain = text.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  const single = `${indent}/** ${plain}${fallback === undefined ? '' : ` @default ${fallback}`} */`;
  if (single.length <= WIDTH) return single;
  const lines = wrap(plain, WIDTH - indent.length - 3);
  if (fallback !== undefined) lines.push('', ...wrap(`@default ${fallback}`, WIDTH - indent.length - 3));
  return [`${indent}/**`, ...lines.map((line) => `${indent} *${line && ` ${line}`}`), `${indent} */`].join('\n');
}

function wrap(text, width) {
  const lines = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += `${line && ' '}${word}`;
  }
  return [...lines, line];
}
