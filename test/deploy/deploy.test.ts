import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import * as conventions from '#src/wire/conventions.js';
import { findProgram } from '../backends/find-program.js';

const deploy = fileURLToPath(new URL('../../deploy/', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

// biome-ignore lint/suspicious/noExplicitAny: files of other programs, looked into here and there.
type Any = any;

function load(file: string): Any[] {
  return parseAllDocuments(readFileSync(join(deploy, file), 'utf8')).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS();
  });
}

test('every file is read by its kind of parser', () => {
  const files = readdirSync(deploy, { recursive: true, encoding: 'utf8' });
  for (const file of files) {
    if (/\.yaml$/.test(file)) load(file);
    if (/\.json$/.test(file)) JSON.parse(readFileSync(join(deploy, file), 'utf8'));
  }
  assert.ok(files.length >= 11);
});

test('the Collector’s configuration is taken by a Collector', (t) => {
  const collector = findProgram('otelcol');
  if (!collector) return t.skip('SKIPPED: no otelcol (set OTELCOL to one)');
  execFileSync(collector, ['validate', `--config=${join(deploy, 'collector.yaml')}`], { stdio: 'pipe' });
});

test('the unit is taken by systemd', (t) => {
  const analyze = findProgram('systemd');
  if (!analyze) return t.skip('SKIPPED: no systemd-analyze');
  const { status, stderr } = spawnSync(analyze, ['verify', join(deploy, 'forktrace.service')], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

test('compose mounts files that are there, and every port is on loopback', () => {
  const [{ services }] = load('compose.yaml');
  for (const { volumes = [], ports = [] } of Object.values<Any>(services)) {
    for (const volume of volumes.filter((each: string) => each.startsWith('./'))) {
      assert.ok(existsSync(join(deploy, volume.split(':')[0])), volume);
    }
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/);
  }
});

for (const variant of ['sidecar', 'daemonset']) {
  test(`Kubernetes, ${variant}: probes, resources, no privileges, a journal in its volume, time to stop`, () => {
    const reference = readFileSync(`${root}docs/environment.md`, 'utf8');
    for (const { spec } of load(`kubernetes/${variant}.yaml`)) {
      const pod = spec.template.spec;
      assert.equal(pod.securityContext.runAsNonRoot, true);
      for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
        assert.ok(container.startupProbe ?? container.readinessProbe, container.name);
        assert.ok(container.resources.requests && container.resources.limits, container.name);
        assert.equal(container.securityContext.readOnlyRootFilesystem, true);
        assert.equal(container.securityContext.allowPrivilegeEscalation, false);
        for (const { name, mountPath } of container.volumeMounts) {
          assert.ok(
            pod.volumes.some((volume: Any) => volume.name === name),
            mountPath,
          );
        }
        for (const { name } of container.env ?? []) {
          if (/^(FORKTRACE|OTEL)_/.test(name)) assert.ok(reference.includes(name), name);
        }
      }
      if (pod.containers[0].name === 'shop') assert.ok(pod.terminationGracePeriodSeconds > 10);
    }
  });
}

test('the dashboard asks for what is emitted, of data sources that are provisioned', () => {
  const [{ datasources }] = load('grafana/datasources.yaml');
  const uids: string[] = datasources.map(({ uid }: Any) => uid);
  const emitted = new Set<string>();
  for (const found of readFileSync(`${root}docs/metrics.md`, 'utf8').matchAll(/`([a-z][\w.]+)`((?:, `\.\w+`)*)/g)) {
    const [, name = '', rest = ''] = found;
    emitted.add(name.replaceAll('.', '_'));
    const base = name.replace(/\.\w+$/, '');
    for (const [, end] of rest.matchAll(/`(\.\w+)`/g)) emitted.add(`${base}${end}`.replaceAll('.', '_'));
  }
  const names = JSON.stringify(Object.values(conventions));
  const { panels } = JSON.parse(readFileSync(join(deploy, 'grafana/forktrace.json'), 'utf8'));
  assert.ok(panels.length >= 12);
  for (const { title, targets } of panels) {
    for (const { datasource, expr, query } of targets) {
      assert.ok(uids.includes(datasource.uid), title);
      for (const [, metric = ''] of (expr ?? '').matchAll(/\b([a-z0-9]+(?:_[a-z0-9]+)+)\{/g)) {
        const base = metric.replace(/_(total|bucket|count|sum)$/, '').replace(/_(seconds|bytes)$/, '');
        assert.ok(emitted.has(base) || metric.startsWith('otelcol_'), `${title}: ${metric}`);
      }
      for (const [, name = ''] of (query ?? '').matchAll(/span\.([\w.]+)|name = "([^"]+)"/g)) {
        assert.ok(name === '' || names.includes(name), `${title}: ${name}`);
      }
    }
  }
});
