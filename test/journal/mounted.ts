/**
 * File systems of a test's own, in files and in memory, taken away with it. Needs root.
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

interface Test {
  after(fn: () => void): void;
  skip(message: string): void;
}

/** An empty btrfs file system; undefined, and the test skipped, where none can be mounted. */
export function mountBtrfs(t: Test, bytes = 120 * 1024 * 1024): string | undefined {
  const image = join(tempDir(t), 'image');
  writeFileSync(image, '');
  truncateSync(image, bytes);
  const made = tryTo(t, 'mkfs.btrfs', ['--quiet', image]);
  return made ? mount(t, ['-o', 'loop', image]) : undefined;
}

/** XFS takes no smaller one; the image is sparse. */
const DISK_BYTES = 320 * 1024 * 1024;

/**
 * What befalls a disk: an error after which its file system shuts itself down, or lets nothing be written any
 * more.
 */
export const DISK_FAULTS = {
  'an xfs that shuts itself down': {
    make: (image: string): [string, string[]] => ['mkfs.xfs', ['-q', image]],
    options: 'loop',
    fail: (dir: string) => void execFileSync('xfs_io', ['-x', '-c', 'shutdown', dir]),
  },
  'an ext4 that an error makes read-only': {
    make: (image: string): [string, string[]] => ['mkfs.ext4', ['-q', image]],
    options: 'loop,errors=remount-ro',
    fail(dir: string) {
      const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', dir], { encoding: 'utf8' }).trim();
      writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, 'x');
    },
  },
};

interface FailingDisk {
  dir: string;
  fail(): void;
  /** Takes it away, unless a process has something open there. @returns whether it is gone */
  unmount(): boolean;
}

/**
 * An empty file system, and what makes it fail; undefined, and the test skipped, where none can be mounted.
 */
export function mountFailing(t: Test, fault: keyof typeof DISK_FAULTS): FailingDisk | undefined {
  const { make, options, fail } = DISK_FAULTS[fault];
  const image = join(tempDir(t), 'image');
  writeFileSync(image, '');
  truncateSync(image, DISK_BYTES);
  const dir = tryTo(t, ...make(image)) ? mount(t, ['-o', options, image]) : undefined;
  if (dir === undefined) return undefined;
  return { dir, fail: () => fail(dir), unmount: () => spawnSync('umount', [dir]).status === 0 };
}

/** @param size as `mount -o size=` takes it */
export function mountTmpfs(t: Test, size: string): string | undefined {
  return mount(t, ['-t', 'tmpfs', '-o', `size=${size}`, 'test']);
}

/**
 * An empty file system in memory over a directory of this user's.
 * @returns what unmounts it under whoever uses it; undefined, and the test skipped, where there is none
 */
export function mountOver(t: Test, dir: string): (() => void) | undefined {
  if (!tryTo(t, 'mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'test', dir])) return undefined;
  let isMounted = true;
  const unmount = () => {
    if (isMounted) execFileSync('umount', ['--lazy', dir]);
    isMounted = false;
  };
  t.after(unmount);
  return unmount;
}

/** An overlay whose files are written to `upper`, a directory that this makes. */
export function mountOverlay(t: Test, upper: string): string | undefined {
  const [lower, work, writes] = ['lower', 'work', 'upper'].map((name) => join(upper, name));
  for (const dir of [lower, work, writes]) mkdirSync(dir!);
  const options = `lowerdir=${lower},workdir=${work},upperdir=${writes}`;
  return mount(t, ['-t', 'overlay', '-o', options, 'test']);
}

/**
 * Makes what is in a directory read-only for whoever opens it from now on; what is open stays as it is.
 * @returns what undoes it, which is to be called before the test ends; undefined, and the test skipped, where
 * that cannot be done
 */
export function mountReadOnly(t: Test, dir: string): Disposable | undefined {
  if (!tryTo(t, 'mount', ['--bind', dir, dir])) return undefined;
  const mounted = { [Symbol.dispose]: () => void execFileSync('umount', ['--lazy', dir]) };
  if (tryTo(t, 'mount', ['-o', 'remount,ro,bind', dir])) return mounted;
  mounted[Symbol.dispose]();
  return undefined;
}

function mount(t: Test, options: string[]): string | undefined {
  const dir = tempDir(t, () => execFileSync('umount', ['--lazy', dir]));
  return tryTo(t, 'mount', [...options, dir]) ? dir : undefined;
}

function tempDir(t: Test, before?: () => void): string {
  const dir = mkdtempSync(join(tmpdir(), 'forktrace-test-'));
  t.after(() => {
    try {
      before?.();
    } catch {
      // It was not mounted.
    }
    rmSync(dir, { recursive: true });
  });
  return dir;
}

function tryTo(t: Test, command: string, args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'pipe' });
    return true;
  } catch (error) {
    t.skip(`SKIPPED: this needs root and a file system of its own: ${(error as Error).message}`);
    return false;
  }
}
