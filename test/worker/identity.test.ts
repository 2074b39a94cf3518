import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultResource, processDetector } from '@opentelemetry/resources';
import { resolveConfig } from '#src/config/resolve.js';
import { takeIdentity } from '#src/worker/identity.js';
import { createResource, resourceAttributes } from '#src/worker/resource.js';

const fixed = { slot: 2, incarnation: 1, workerId: 7, manager: 'cluster', instanceId: 'fresh' } as const;

test("a process that was not forked by us has no slot, whatever its parent's variables say", () => {
  const env: NodeJS.ProcessEnv = { FORKTRACE_SLOT: '3', FORKTRACE_INCARNATION: '2' };
  const { instanceId, ...rest } = takeIdentity(env);
  assert.deepEqual(rest, { slot: undefined, incarnation: 0, workerId: undefined, manager: 'none' });
  assert.match(instanceId, /^[0-9a-f-]{36}$/);
  assert.deepEqual(env, {});
});

test('under pm2 the instance is the slot and the restarts are the incarnation', () => {
  const env: NodeJS.ProcessEnv = { pm_id: '7', NODE_APP_INSTANCE: '2', restart_time: '4' };
  const { instanceId: _, ...rest } = takeIdentity(env);
  assert.deepEqual(rest, { slot: 2, incarnation: 4, workerId: 7, manager: 'pm2' });
});

test('a renamed NODE_APP_INSTANCE is found, and without one the pm2 id is the slot', () => {
  assert.equal(takeIdentity({ pm_id: '7', instance_var: 'INSTANCE', INSTANCE: '1' }).slot, 1);
  assert.equal(takeIdentity({ pm_id: '7' }).slot, 7);
});

test("a pm2 worker's child inherits its variables, but not its identity", () => {
  const env: NodeJS.ProcessEnv = { pm_id: '7', NODE_APP_INSTANCE: '2' };
  assert.equal(takeIdentity(env).manager, 'pm2');
  const inChild = { ...env, FORKTRACE_IDENTITY_PID: String(process.pid + 1) };
  assert.equal(takeIdentity(inChild).manager, 'none');
});

test('the resource has the identity, the process and the service', () => {
  const config = resolveConfig({ serviceName: 'shop', serviceVersion: '1.2.3' }, {});
  const attributes = resourceAttributes(config, fixed);
  assert.equal(attributes['service.name'], 'shop');
  assert.equal(attributes['service.version'], '1.2.3');
  assert.equal(attributes['service.instance.id'], 'fresh');
  assert.equal(attributes['cluster.worker.slot'], 2);
  assert.equal(attributes['cluster.worker.id'], 7);
  assert.equal(attributes['cluster.worker.incarnation'], 1);
  assert.equal(attributes['cluster.manager'], 'cluster');
  assert.equal(attributes['process.pid'], process.pid);
  assert.equal(attributes['telemetry.distro.name'], 'forktrace');
  assert.equal(attributes['telemetry.sdk.name'], 'opentelemetry');
});

test('what the user sets wins, and an instance id of the environment is no identity of N workers', () => {
  const env = { OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-1,deployment.environment.name=prod' };
  const worker = resourceAttributes(resolveConfig({}, env), fixed);
  assert.equal(worker['service.instance.id'], 'fresh');
  assert.equal(worker['deployment.environment.name'], 'prod');
  const alone = { ...fixed, slot: undefined, manager: 'none' } as const;
  assert.equal(resourceAttributes(resolveConfig({}, env), alone)['service.instance.id'], 'pod-1');
  const config = resolveConfig({ resource: { 'service.instance.id': 'mine', 'host.name': 'h' } }, env);
  const attributes = resourceAttributes(config, fixed);
  assert.equal(attributes['service.instance.id'], 'mine');
  assert.equal(attributes['host.name'], 'h');
});

test("without the SDK, what the SDK's own resource and process detector would say", () => {
  const attributes = resourceAttributes(resolveConfig({}, {}), fixed);
  const { 'service.name': _, ...defaults } = defaultResource().attributes;
  const expected = { ...defaults, ...processDetector.detect().attributes };
  for (const [name, value] of Object.entries(expected)) assert.deepEqual(attributes[name], value, name);
});

test("the user's Resource keeps its schema and what it still waits for", async () => {
  const { resourceFromAttributes } = await import('@opentelemetry/resources');
  const given = resourceFromAttributes(
    { 'cloud.region': Promise.resolve('eu-1'), 'host.name': 'h' },
    { schemaUrl: 'https://opentelemetry.io/schemas/1.45.0' },
  );
  const config = resolveConfig({ resource: given }, {});
  const resource = createResource(config, resourceAttributes(config, fixed));
  await resource.waitForAsyncAttributes?.();
  assert.equal(resource.attributes['cloud.region'], 'eu-1');
  assert.equal(resource.attributes['host.name'], 'h');
  assert.equal(resource.attributes['cluster.worker.slot'], 2);
  assert.equal(resource.schemaUrl, 'https://opentelemetry.io/schemas/1.45.0');
});
