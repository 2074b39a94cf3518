/**
 * A scene is a small program of a user's, and what its terminal shows: run for real, then compared with messages.md.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../process/free-port.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Scene {
  /** The code that it shows. */
  code: string;
  /** What somebody has done. */
  when: string;
  files: Record<string, string>;
  /** A shell command; `forktrace` is the command of this package. */
  command: string;
  env?: Record<string, string>;
  /** Ctrl-C once this has been written; without it the command ends by itself. */
  until?: RegExp;
}

const LONGEST_MS = 30_000;

/** What the terminal shows, with what differs from run to run replaced by words. */
export async function play({ files, command, env, until }: Scene): Promise<string> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'forktrace-scene-')));
  const port = await freePort();
  try {
    for (const [name, text] of Object.entries({ 'package.json': '{ "name": "shop", "type": "module" }', ...files })) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), text);
    }
    mkdirSync(join(dir, 'tmp'));
    mkdirSync(join(dir, 'node_modules'));
    symlinkSync(ROOT, join(dir, 'node_modules/forktrace'));
    mkdirSync(join(dir, 'bin'));
    writeFileSync(
      join(dir, 'bin/forktrace'),
      `#!/bin/sh\nexec '${process.execPath}' '${ROOT}dist/cli/main.js' "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...clean } = process.env;
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: dir,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...clean,
        NODE_ENV: 'production',
        PATH: `${join(dir, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}`,
        TMPDIR: join(dir, 'tmp'),
        PORT: String(port),
        FORKTRACE_EXPORT: 'none',
        FORKTRACE_PIPELINE: 'batch',
        ...env,
      },
    });
    let output = '';
    let told = false;
    const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        if (told || !until?.test(output)) return;
        told = true;
        process.kill(-child.pid!, 'SIGINT');
      });
    }
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), LONGEST_MS);
    const code = await exited;
    clearTimeout(timer);
    const shown = until ? output : `${output}(exit code ${code})\n`;
    return withoutParticulars(announcementsFirst(shown), dir, port);
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Coordinator and worker write to one terminal, in any order. */
function announcementsFirst(text: string): string {
  const lines = text.split(/(?<=\n)/);
  const isAnnouncement = (line: string) => /^forktrace: (spans go|serving)/.test(line);
  return [...lines.filter(isAnnouncement), ...lines.filter((line) => !isAnnouncement(line))].join('');
}

function withoutParticulars(text: string, dir: string, port: number): string {
  return text
    .replaceAll(dir, '/app')
    .replaceAll(ROOT, '/forktrace/')
    .replaceAll(String(port), 'PORT')
    .replace(/\(node:\d+\)/g, '(node:PID)')
    .replace(/\bpids? \d+(, \d+)*/g, 'pid PID')
    .replace(/\b\d+(?= ms\b)/g, 'N')
    .replace(/(?<=slot )\d+/g, 'N')
    .replace(/^Use `node.*\n|^\(Use `node.*\n/gm, '');
}
