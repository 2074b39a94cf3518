/**
 * What the file system below a journal directory can do: whether space that has been reserved in a file stays
 * reserved, and how much of it there is.
 *
 * @module
 */
import { statfsSync } from 'node:fs';

// `f_type` of statfs(2), from Linux's include/uapi/linux/magic.h.
const EXT = 0xef53;
const XFS = 0x58465342;
const TMPFS = 0x01021994;
const OVERLAY = 0x794c7630;

const NAMES: Record<number, string> = {
  2435016766: 'btrfs',
  801189825: 'ZFS',
  3393526350: 'bcachefs',
  4076150800: 'F2FS',
  13364: 'NILFS2',
  26985: 'NFS',
  1702057286: 'FUSE',
  4283649346: 'CIFS',
  4266872130: 'SMB',
  16914839: '9p',
};

/** ZFS reports its record size, by default 128 KiB, where others report a page. */
const ZFS_BLOCK_BYTES = 131_072;

/**
 * Why a store to a mapped file of this directory could kill the process with SIGBUS although its space was
 * reserved; `undefined` when it cannot. A file system that copies on write takes new space for every page
 * that is written: btrfs does so on a full disk even in a file with the no-copy attribute, before Linux 6.16.
 * One across a network can go away. So only file systems are mapped that are known to write in place.
 */
export function whyNotToMap(dir: string): string | undefined {
  const { type, files, bsize } = statfsSync(dir);
  if (type === EXT || type === XFS || type === TMPFS) return undefined;
  if (type === OVERLAY) {
    // An overlay reports its own type, and everything else from the file system that takes the writes. btrfs
    // has no inode count.
    const isCopying = files === 0 || bsize === ZFS_BLOCK_BYTES;
    return isCopying ? `${dir} is an overlay on a file system that copies on write` : undefined;
  }
  const name = NAMES[type] ?? `the file system of type 0x${type.toString(16)}`;
  return `${dir} is on ${name}, where reserved space is not known to hold`;
}

/** Bytes that this user may still write there; very many where the system does not say. */
export function availableBytes(dir: string): number {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return bavail * bsize;
  } catch {
    return Number.MAX_SAFE_INTEGER;
  }
}
