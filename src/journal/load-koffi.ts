/**
 * koffi's foreign-function calls. Its JavaScript chooses one of its prebuilt binaries, by reading Node's own,
 * and wraps a few functions for programs that were written for older versions: 8 ms of CPU of a start (Node
 * 24), where the binary takes 1.5. So the binary is loaded at once where it is sure which one that is.
 *
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import type koffiModule from 'koffi';

type Koffi = Pick<typeof koffiModule, 'load' | 'view' | 'version'>;

/** The program that loads Node stands in the first page of its file: elf(5), `PT_INTERP`. */
const PAGE = 4096;
const GLIBC_LOADER = /\0\/[\w./-]*\/ld-linux[\w.-]*\0/;

/** @throws where koffi is not installed, or has no binary for this system */
export function loadKoffi(require: NodeJS.Require): Koffi {
  return binary(require) ?? (require('koffi') as typeof koffiModule);
}

/** undefined: koffi itself finds out. */
function binary(require: NodeJS.Require): Koffi | undefined {
  const { platform, arch } = process;
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64') || !isGlibc()) return undefined;
  const file = `@koromix/koffi-${platform}-${arch}/${platform}_${arch}/koffi.node`;
  // Beside koffi in most installations; where each package has a folder of its own, only koffi finds it.
  for (const from of [() => require, () => createRequire(require.resolve('koffi'))]) {
    try {
      const found = from()(file) as Partial<Koffi>;
      if (typeof found.load === 'function' && typeof found.view === 'function') return found as Koffi;
    } catch {
      // Not there, or it does not load.
    }
  }
  return undefined;
}

function isGlibc(): boolean {
  let fd: number | undefined;
  try {
    fd = openSync(process.execPath, 'r');
    const page = Buffer.alloc(PAGE);
    return GLIBC_LOADER.test(page.toString('latin1', 0, readSync(fd, page, 0, PAGE, 0)));
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
