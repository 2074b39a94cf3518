/**
 * Reads the memory of this process's control group, versions 1 and 2, and how many processes the kernel has
 * killed because memory ran out. https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
 *
 * @module
 */
import { readFileSync } from 'node:fs';

/** The files of one control group. */
interface CgroupFiles {
  used: string;
  limit: string;
  /** File with a line `oom_kill <count>`. */
  events: string;
}

/** Version 1 gives a number at least this large when there is no limit. */
const NO_LIMIT = 2 ** 60;

let found: CgroupFiles | undefined | null = null;

/** Bytes; undefined when there is no control group that this process can read. */
export function cgroupUsed(files = ownFiles()): number | undefined {
  return files && numberIn(files.used);
}

/** Bytes; 0 when there is no limit, or no such control group. */
export function cgroupLimit(files = ownFiles()): number {
  // Without a limit the file says `max`, which is not a number.
  const limit = (files && numberIn(files.limit)) ?? 0;
  return limit >= NO_LIMIT ? 0 : limit;
}

/**
 * How many processes the kernel has killed because memory ran out: in this control group if that is known,
 * else on the machine. Two readings around a death tell whether a process was killed between them.
 */
export function oomKills(files = ownFiles()): number {
  return countIn(files?.events) ?? countIn('/proc/vmstat') ?? 0;
}

function ownFiles(): CgroupFiles | undefined {
  if (found === null) found = findCgroup();
  return found;
}

/** @param root the directory that holds `proc` and `sys` */
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
    // In a container the path may be the host's. The files are then at the top.
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
