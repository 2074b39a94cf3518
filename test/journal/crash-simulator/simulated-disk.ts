/**
 * A directory in memory, in the place of the system's: `node:fs` works on it for every path below
 * {@link DIRECTORY}, in all modules, so that writer, reader and recovery run as they are.
 *
 * @module
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';

export const DIRECTORY = '/simulated';
const FIRST_DESCRIPTOR = 1_000_000;
const PAGE = 4096;

export interface Inode {
  bytes: Uint8Array;
  size: number;
  links: number;
}

export class SimulatedDisk {
  readonly names = new Map<string, Inode>();
  readonly open = new Map<number, Inode>();
  /** Called after each change that a stopped process leaves behind; within one long write, too. */
  changed: () => void = () => {};
  /** Called before each system call. */
  called: () => void = () => {};
  /** Of the file that was opened last. */
  lastDescriptor = FIRST_DESCRIPTOR;

  /** @param held descriptors that another process has, which lives on */
  clone(held: Iterable<number>): { disk: SimulatedDisk; copies: Map<Inode, Inode> } {
    const disk = new SimulatedDisk();
    disk.lastDescriptor = this.lastDescriptor;
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode) => {
      const copy = copies.get(inode) ?? { ...inode, bytes: inode.bytes.slice() };
      copies.set(inode, copy);
      return copy;
    };
    for (const [name, inode] of this.names) disk.names.set(name, copyOf(inode));
    for (const fd of held) disk.open.set(fd, copyOf(this.open.get(fd)!));
    return { disk, copies };
  }

  openFile(name: string, create: boolean, exclusive: boolean): number {
    let inode = this.names.get(name);
    if (inode !== undefined && exclusive) throw failure('EEXIST', name);
    if (inode === undefined) {
      if (!create) throw failure('ENOENT', name);
      inode = { bytes: new Uint8Array(PAGE), size: 0, links: 1 };
      this.names.set(name, inode);
      this.changed();
    }
    this.open.set(++this.lastDescriptor, inode);
    return this.lastDescriptor;
  }

  write(inode: Inode, bytes: Uint8Array, at: number): void {
    for (let done = 0; done < bytes.length; ) {
      // A process that is killed in the middle of a write leaves the pages up to there.
      const end = Math.min(bytes.length, done + PAGE - ((at + done) % PAGE));
      grow(inode, at + end);
      inode.bytes.set(bytes.subarray(done, end), at + done);
      done = end;
      this.changed();
    }
  }

  rename(from: string, to: string): void {
    const inode = this.names.get(from);
    if (inode === undefined) throw failure('ENOENT', from);
    this.unlinkQuietly(to);
    this.names.delete(from);
    this.names.set(to, inode);
    this.changed();
  }

  unlink(name: string): void {
    if (!this.names.has(name)) throw failure('ENOENT', name);
    this.unlinkQuietly(name);
    this.changed();
  }

  unlinkQuietly(name: string): void {
    const inode = this.names.get(name);
    if (inode !== undefined) inode.links = 0;
    this.names.delete(name);
  }
}

let current: SimulatedDisk | undefined;

/** The disk that `node:fs` works on from now on. */
export function useDisk(disk: SimulatedDisk): void {
  current = disk;
}

export function inodeOf(fd: number): Inode {
  return current!.open.get(fd)!;
}

export function grow(inode: Inode, size: number): void {
  if (size > inode.bytes.length) {
    const bytes = new Uint8Array(Math.ceil(size / PAGE) * PAGE);
    bytes.set(inode.bytes);
    inode.bytes = bytes;
  }
  inode.size = Math.max(inode.size, size);
}

/** To be called once, before anything is simulated. */
export function installSimulatedDisk(): void {
  const here = (path: unknown): path is string => String(path).startsWith(`${DIRECTORY}/`) || path === DIRECTORY;
  const replace = (name: string, isOurs: (first: unknown) => boolean, ours: (...args: never[]) => unknown) => {
    const real = fs[name as 'openSync'] as (...args: unknown[]) => unknown;
    Object.assign(fs, {
      [name]: (...args: unknown[]) => {
        if (!isOurs(args[0])) return real(...args);
        current!.called();
        return ours(...(args as never[]));
      },
    });
  };
  const onPath = (name: string, ours: (disk: SimulatedDisk, file: string, ...rest: never[]) => unknown) =>
    replace(name, here, (path: string, ...rest) => ours(current!, basename(path), ...(rest as never[])));
  const onFile = (name: string, ours: (disk: SimulatedDisk, inode: Inode, ...rest: never[]) => unknown) =>
    replace(
      name,
      (fd) => (fd as number) >= FIRST_DESCRIPTOR,
      (fd: number, ...rest) => ours(current!, current!.open.get(fd)!, ...(rest as never[])),
    );

  onPath('openSync', (disk, file, flags: number | string) => {
    if (typeof flags === 'string') return disk.openFile(file, flags.startsWith('w'), false);
    return disk.openFile(file, (flags & fs.constants.O_CREAT) !== 0, (flags & fs.constants.O_EXCL) !== 0);
  });
  onPath('readdirSync', (disk) => [...disk.names.keys()]);
  onPath('renameSync', (disk, from, to: string) => disk.rename(from, basename(to)));
  onPath('unlinkSync', (disk, file) => disk.unlink(file));
  onPath('rmSync', (disk, file) => disk.unlinkQuietly(file));
  onPath('existsSync', (disk, file) => disk.names.has(file));
  onPath('mkdirSync', () => undefined);
  onPath('lstatSync', (disk, file) => statsOf(disk.names.get(file)));
  // The directory: it stays where it is, and has changed since the last look.
  let looks = 0;
  const directory = () => ({ dev: 1, ino: 1, mtimeMs: ++looks });
  onPath('statSync', directory);
  onPath('stat', (_disk, _file, done: (error: null, stats: object) => void) => done(null, directory()));
  replace(
    'closeSync',
    (fd) => (fd as number) >= FIRST_DESCRIPTOR,
    (fd: number) => current!.open.delete(fd),
  );
  onFile('fstatSync', (_disk, inode) => statsOf(inode));
  onFile('fstat', (_disk, inode, done: (error: null, stats: object) => void) => done(null, statsOf(inode)));
  // biome-ignore lint/complexity/useMaxParams: the parameters of fs.readSync
  onFile('readSync', (_disk, inode, target: Uint8Array, offset: number, length: number, position?: number) => {
    const from = position ?? 0;
    const count = Math.max(0, Math.min(length, inode.size - from));
    target.set(inode.bytes.subarray(from, from + count), offset);
    return count;
  });
  onPath('open', (_disk, _file, _flags: string, done: (error: Error) => void) => done(failure('EACCES', 'directory')));
  onFile('fdatasync', (_disk, _inode, done: () => void) => done());
  onFile('fdatasyncSync', () => undefined);
  const ends = new WeakMap<Inode, number>();
  // biome-ignore lint/complexity/useMaxParams: the parameters of fs.writeSync
  onFile('writeSync', (disk, inode, bytes: Uint8Array, offset = 0 as never, length?: number, position?: number) => {
    const count = length ?? bytes.length - offset;
    const at = position ?? ends.get(inode) ?? 0;
    disk.write(inode, bytes.subarray(offset, offset + count), at);
    ends.set(inode, at + count);
    return count;
  });
  syncBuiltinESMExports();
}

function statsOf(inode: Inode | undefined): object {
  if (inode === undefined) throw failure('ENOENT', 'a file');
  return { size: inode.size, nlink: inode.links, mode: 0o100600, mtimeMs: Date.now(), isFile: () => true };
}

function failure(code: string, name: string): Error {
  return Object.assign(new Error(`${code}: ${name}`), { code });
}
