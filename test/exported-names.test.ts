import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const src = fileURLToPath(new URL('../src/', import.meta.url));

const EXPORTED = /^export (?:declare )?(?:abstract )?(?:async )?(?:interface|type|class|function\*?|const) (\w+)\b/gm;

/** Public functions: what users call, around what does it. */
const AROUND = ['startWorkerTracing'];

/**
 * The page is a program of its own, the messages of OTLP have the names that OTLP gives them, and the
 * commands have those of the functions that carry them out.
 */
const isElsewhere = (file: string) => /^(?:viewer\/page|cli\/commands)\/|^wire\/otlp.ts$/.test(file);

test('one exported name stands for one thing', () => {
  const places = new Map<string, Set<string>>();
  for (const file of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!/(?<!\.d)\.tsx?$/.test(file) || isElsewhere(file)) continue;
    for (const [, name] of readFileSync(src + file, 'utf8').matchAll(EXPORTED)) {
      places.set(name!, (places.get(name!) ?? new Set()).add(file));
    }
  }
  assert.ok(places.get('resolveConfig')?.has('config/resolve.ts'), 'no export is found');
  const shared = [...places].filter(([name, files]) => files.size > 1 && !AROUND.includes(name));
  assert.deepEqual(
    shared.map(([name, files]) => `${name}: ${[...files].join(', ')}`),
    [],
  );
});
