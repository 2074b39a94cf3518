/**
 * The memory of this process's control group, versions 1 and 2, and how often the kernel has killed for want
 * of memory. https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
 *
 * @module
 */
import { readFileSync } from 'node:fs';

export interface CgroupMemory {
  used: number;
  /** 0: no limit. */
  limit: number;
}

/** Where the numbers of one control group are. */
interface CgroupFiles {
  used: string;
  limit: string;
  /** Has a line `oom_kill <count>`. */
  events: string;
}

/** Version 1 has a number of this size where there is no limit. */
const NO_LIMIT = 2 ** 60;

let found: CgroupFiles | undefined | null = null;

/** Undefined where there is no control group, or none that this process can read. */
export function cgroupMemory(files = ownFiles()): CgroupMemory | undefined {
  const used = files && numberIn(files.used);
  if (used === undefined) return undefined;
  // `max` is no number.
  const limit = numberIn(files!.limit) ?? 0;
  return { used, limit: limit >= NO_LIMIT ? 0 : limit };
}

/**
 * How many processes the kernel has killed for want of memory: of this control group where it can be told,
 * else of the machine. Two readings around a death tell whether one was killed in between.
 */
export function oomKills(files = ownFiles()): number {
  return countIn(files?.events) ?? countIn('/proc/vmstat') ?? 0;
}

function ownFiles(): CgroupFiles | undefined {
  if (found === null) found = findCgroup();
  return found;
}

/** @param root where `proc` and `sys` are */
export function findCgroup(root = ''): CgroupFiles | undefined {
  const lines = read(`${root}/proc/self/cgroup`)?.split('\n') ?? [];
  const path = (controller: string) =>
    lines
      .find((line) => line.split(':')[1]?.split(',').includes(controller))
      ?.split(':')
      .slice(2)
      .join(':');
  const [second, first] = [path(''), path('memory')];
  const places = [
    // In a container the path may be the host's: then the files are at the top.
    ...[first, ''].filter((at) => at !== undefined).map((at) => filesOfFirst(`${root}/sys/fs/cgroup/memory${at}`)),
    ...[second, ''].filter((at) => at !== undefined).map((at) => filesOfSecond(`${root}/sys/fs/cgroup${at}`)),
  ];
  return places.find(({ used }) => numberIn(used) !== undefined);
}

function filesOfFirst(dir: string): CgroupFiles {
  return {
    used: `${dir}/memory.usage_in_bytes`,
    limit: `${dir}/memory.limit_in_bytes`,
    events: `${dir}/memory.oom_control`,
  };
}

function filesOfSecond(dir: string): CgroupFiles {
  return { used: `${dir}/memory.current`, limit: `${dir}/memory.max`, events: `${dir}/memory.events` };
}

function numberIn(path: string): number | undefined {
  const text = read(path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function countIn(path: string | undefined): number | undefined {
  const count = path && /^oom_kill (\d+)$/m.exec(read(path) ?? '')?.[1];
  return count ? Number(count) : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
