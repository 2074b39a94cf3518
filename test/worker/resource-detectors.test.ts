import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { test } from 'node:test';
import { detectResources, hostDetector, osDetector, processDetector } from '@opentelemetry/resources';
import { detectedAttributes, isEnvironmentWanted } from '#src/worker/resource-detectors.js';

const VARIABLE = 'OTEL_NODE_RESOURCE_DETECTORS';
const keysOf = (text?: string) => [...new Set(Object.keys(detectedAttributes({ [VARIABLE]: text })).map(first))].sort();
const first = (key: string) => key.split('.')[0];

test("host, operating system and process are what OpenTelemetry's own detectors find", async () => {
  const resource = detectResources({ detectors: [hostDetector, osDetector, processDetector] });
  await resource.waitForAsyncAttributes?.();
  const { 'process.command_args': theirs, ...expected } = resource.attributes;
  const found = detectedAttributes({});
  for (const [key, value] of Object.entries(expected)) {
    if (key === 'host.id' && process.platform !== 'linux') continue;
    assert.deepEqual(found[key], value, key);
  }
  assert.deepEqual(found['process.command_args'], theirs);
  assert.equal(found['os.version'], release());
  if (existsSync('/etc/machine-id')) {
    assert.equal(found['host.id'], readFileSync('/etc/machine-id', 'utf8').trim());
  }
});

test(`${VARIABLE} chooses among them`, () => {
  assert.deepEqual(keysOf(), ['container', 'host', 'os', 'process']);
  assert.deepEqual(keysOf('all'), ['container', 'host', 'os', 'process']);
  assert.deepEqual(keysOf('os, host'), ['host', 'os']);
  assert.deepEqual(keysOf('none'), []);
  assert.deepEqual(keysOf('nothing'), []);
  assert.equal(isEnvironmentWanted({ [VARIABLE]: 'os' }), false);
  assert.equal(isEnvironmentWanted({ [VARIABLE]: 'os,env' }), true);
  assert.equal(isEnvironmentWanted({}), true);
});
