import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { cgroupLimit, cgroupUsed, findCgroup, oomKills } from '#src/forensics/cgroup-memory.js';
import { tempDir } from '../process/temp-dir.js';

/** Files as the kernel has them; `self` is `/proc/self/cgroup`. */
interface Machine {
  self: string;
  files: Record<string, string>;
  memory: { used: number; limit: number } | undefined;
  kills?: number;
}

const events = 'low 0\nhigh 3\nmax 9\noom 2\noom_kill 2\noom_group_kill 0\n';

const machines: Record<string, Machine> = {
  'version 2, a service': {
    self: '0::/system.slice/shop.service\n',
    files: {
      'system.slice/shop.service/memory.current': '52428800\n',
      'system.slice/shop.service/memory.max': '104857600\n',
      'system.slice/shop.service/memory.events': events,
    },
    memory: { used: 52_428_800, limit: 104_857_600 },
    kills: 2,
  },
  'version 2, no limit': {
    self: '0::/user.slice\n',
    files: { 'user.slice/memory.current': '4096\n', 'user.slice/memory.max': 'max\n' },
    memory: { used: 4096, limit: 0 },
  },
  'version 2, a container that is told the path of its host': {
    self: '0::/kubepods.slice/pod1/abc\n',
    files: { 'memory.current': '1\n', 'memory.max': '2\n', 'memory.events': events },
    memory: { used: 1, limit: 2 },
    kills: 2,
  },
  'version 2, its own namespace': {
    self: '0::/\n',
    files: { 'memory.current': '1\n', 'memory.max': '2\n', 'memory.events': events },
    memory: { used: 1, limit: 2 },
    kills: 2,
  },
  'version 1, no limit': {
    self: '5:cpu,cpuacct:/\n3:memory:/shop\n0::/\n',
    files: {
      'memory/shop/memory.usage_in_bytes': '10\n',
      'memory/shop/memory.limit_in_bytes': '9223372036854771712\n',
      'memory/shop/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 7\n',
    },
    memory: { used: 10, limit: 0 },
    kills: 7,
  },
  'versions 1 and 2, memory in version 1': {
    self: '3:memory:/shop\n0::/shop\n',
    files: {
      'memory/shop/memory.usage_in_bytes': '10\n',
      'memory/shop/memory.limit_in_bytes': '20\n',
      'unified/shop/cgroup.procs': '',
    },
    memory: { used: 10, limit: 20 },
  },
  'no memory controller': { self: '0::/shop\n', files: { 'shop/cgroup.procs': '1\n' }, memory: undefined },
  'no control groups': { self: '', files: {}, memory: undefined },
};

test('where there is no control group, the kills are those of the machine', () => {
  const nowhere = { used: '/nowhere', limit: '/nowhere', events: '/nowhere' };
  assert.equal(cgroupUsed(nowhere), undefined);
  assert.equal(cgroupLimit(nowhere), 0);
  const kills = oomKills(nowhere);
  const [, ofMachine] = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8')) ?? [];
  assert.equal(kills, Number(ofMachine ?? 0));
});

test('a machine without /proc has no control group', async (t) => {
  assert.equal(findCgroup(await tempDir(t)), undefined);
});

for (const [name, { self, files, memory, kills }] of Object.entries(machines)) {
  test(`the memory of a control group: ${name}`, async (t) => {
    const root = await tempDir(t);
    const all = Object.entries(files).map(([path, text]) => [`sys/fs/cgroup/${path}`, text] as const);
    for (const [path, text] of [['proc/self/cgroup', self] as const, ...all]) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const found = findCgroup(root);
    assert.equal(found === undefined, memory === undefined);
    if (found === undefined) return;
    assert.deepEqual({ used: cgroupUsed(found), limit: cgroupLimit(found) }, memory);
    if (kills !== undefined) assert.equal(oomKills(found), kills);
  });
}
