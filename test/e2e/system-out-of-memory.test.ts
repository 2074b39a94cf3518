import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { RunningCluster } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { waitFor } from '../process/wait-for.js';

interface MemoryGroup {
  dir: string;
  /** Its files, which are named otherwise in version 1. */
  used: string;
  limit: string;
}

/** A control group of our own with a limit of memory; a reason where this machine lets us have none. */
function memoryGroup(): MemoryGroup | string {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const pathOf = (controller: string) =>
    lines
      .find((line) => line.split(':')[1] === controller)
      ?.split(':')
      .slice(2)
      .join(':');
  const versions = [
    { base: `/sys/fs/cgroup/memory${pathOf('memory')}`, used: 'memory.usage_in_bytes', limit: 'memory.limit_in_bytes' },
    { base: `/sys/fs/cgroup${pathOf('')}`, used: 'memory.current', limit: 'memory.max' },
  ];
  let reason = 'no control groups are mounted';
  for (const { base, used, limit } of versions) {
    if (!existsSync(base)) continue;
    const dir = `${base}/forktrace-test-${process.pid}`;
    try {
      mkdirSync(dir);
      if (existsSync(`${dir}/${limit}`)) return { dir, used: `${dir}/${used}`, limit: `${dir}/${limit}` };
      rmdirSync(dir);
      reason = `the memory controller is not for ${base}`;
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  return reason;
}

function removed(dir: string): boolean {
  try {
    rmdirSync(dir);
    return true;
  } catch (error) {
    // EBUSY while a process is in it.
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** What is forked meanwhile is in the group. */
async function inGroup<T>(t: TestContext, { dir }: MemoryGroup, fork: () => Promise<T>): Promise<T> {
  const back = dir.slice(0, dir.lastIndexOf('/'));
  writeFileSync(`${dir}/cgroup.procs`, String(process.pid));
  try {
    return await fork();
  } finally {
    writeFileSync(`${back}/cgroup.procs`, String(process.pid));
    // After what has been forked has ended.
    t.after(() => waitFor(() => removed(dir), `${dir} to be empty`));
  }
}

test('killed by the kernel for want of memory: system_out_of_memory, told from a kill by somebody', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const group = memoryGroup();
  if (typeof group === 'string') return t.skip(`NOT TESTED: no control group of our own: ${group}`);
  const cluster = await inGroup(t, group, () =>
    RunningCluster.ready(
      t,
      {
        workers: 1,
        pipeline: 'journal',
        export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
        supervise: { backoffMinMs: 20, heartbeatTimeoutMs: 0 },
      },
      { fixture: 'stuck-cluster' },
    ),
  );
  const exitOf = async (pid: number) => {
    const isExit = (span: { name: string; attributes: Record<string, unknown> }) =>
      span.name === 'worker.exit' && span.attributes['cluster.worker.pid'] === pid;
    return (await endpoint.waitForSpans((all) => all.some(isExit))).find(isExit)!.attributes;
  };
  const first = await cluster.pidOf(0);
  await cluster.get('/killed').catch(() => undefined);
  assert.equal((await exitOf(first))['forktrace.exit.cause'], 'signal');

  const second = await cluster.pidOf(0);
  assert.notEqual(second, first);
  const used = Number(readFileSync(group.used, 'utf8'));
  writeFileSync(group.limit, String(used + 100 * 1024 * 1024));
  await cluster.get('/memory').catch(() => undefined);
  const killed = await exitOf(second);
  assert.equal(killed['forktrace.exit.cause'], 'system_out_of_memory');
  assert.equal(killed['forktrace.exit.signal'], 'SIGKILL');
});
