import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { resolveConfig } from '#src/config/resolve.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('types and reference pages are what the tables say', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/generate.mjs', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

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
    resolveConfig({}, recording, 'serves');
  }
  return asked;
}

test('the page of variables lists every one that is read', () => {
  const page = readFileSync(`${root}docs/environment.md`, 'utf8');
  for (const name of variablesRead()) assert.ok(page.includes(`\`${name}\``), name);
});
