import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { resolveConfig } from '#src/config/resolve.js';
import { optionNames } from '#src/config/schema.js';

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('|'));

/** Read by other parts, when there is something to exclude or a method to know. */
const readElsewhere = [
  'OTEL_NODE_HTTP_EXCLUDED_URLS',
  'OTEL_NODE_EXCLUDED_URLS',
  'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS',
];

/** Every name that the resolver asks the environment for, over the ways that it can go. */
function variablesRead(): Set<string> {
  const asked = new Set<string>();
  for (const env of [
    {},
    { OTEL_TRACES_SAMPLER: 'traceidratio' },
    { OTEL_METRICS_EXPORTER: 'otlp' },
    { OTEL_METRICS_EXPORTER: 'otlp', OTEL_TRACES_EXPORTER: 'otlp' },
  ]) {
    const recording = new Proxy<NodeJS.ProcessEnv>(env, {
      get(target, name) {
        asked.add(String(name));
        return target[String(name)];
      },
    });
    resolveConfig({}, recording);
  }
  return asked;
}

test('the page lists every variable that is read, and reads every variable that it lists', () => {
  const listed = new Set(rows.flatMap((row) => row.match(/\b(?:OTEL|FORKTRACE)_[A-Z_]+[A-Z]\b/g) ?? []));
  for (const name of ['WEB_CONCURRENCY', 'PORT', 'NODE_ENV']) if (page.includes(`| \`${name}\``)) listed.add(name);
  for (const name of readElsewhere) assert.ok(listed.delete(name), name);
  assert.deepEqual([...listed].sort(), [...variablesRead()].sort());
});

test('the page lists every option', () => {
  for (const [block, names] of Object.entries(optionNames)) {
    for (const name of names) {
      const isBlock = optionNames[block === '' ? name : `${block}.${name}`] !== undefined;
      if (isBlock) continue;
      const option = block === '' ? name : `${block}.${name}`;
      const inItsBlock = page.split('\n').some((line) => line.includes(`\`${block}`) && line.includes(name));
      assert.ok(
        page.includes(`\`${option}\``) || (block !== '' && inItsBlock),
        `docs/configuration.md lacks ${option}`,
      );
    }
  }
});
