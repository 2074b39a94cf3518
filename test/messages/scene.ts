/**
 * A scene is a small program of a user's, and what its terminal shows: run for real, then compared with
 * messages.md.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pidsWithEnvironment } from '../process/alive.js';
import { freePort } from '../process/free-port.js';
import { waitFor } from '../process/wait-for.js';
import { kill } from '../process/write-coverage.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

type Answer = [status: number, body?: string];

export interface Scene {
  /** The code that it shows. */
  code: string;
  /** Words of its message, where the code is not shown. */
  says?: string;
  /** Other codes that it shows as well. */
  shows?: readonly string[];
  /** What somebody has done. */
  when: string;
  files: Record<string, string>;
  /** A shell command; `forktrace` is the command of this package. */
  command: string;
  env?: Record<string, string>;
  /** Ctrl-C once this has been written; without it the command ends by itself. */
  until?: RegExp;
  /** Spans go through the journal; so they do with a collector. */
  journal?: true;
  /** An OTLP endpoint. `answer` says what it answers to the nth request, counted from 0; by default 200. */
  collector?: { does: string; answer?(path: string, nth: number, body: Buffer): Answer };
  /** Installed beside forktrace and `@opentelemetry/api`. */
  packages?: readonly string[];
  /** Installed elsewhere, under another version. */
  copies?: Record<string, [name: string, version: string]>;
  /** forktrace is installed as a copy, so that it finds nothing of this repository's. */
  alone?: true;
  /** It gives a directory to another user. */
  needsRoot?: true;
}

const LONGEST_MS = 30_000;

/** What the terminal shows, with what differs from run to run replaced by words. */
export async function play(scene: Scene): Promise<string> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'forktrace-scene-')));
  const port = await freePort();
  const collector = await startCollector(scene);
  try {
    install(scene, dir);
    const shown = await shownBy(scene, dir, {
      PORT: String(port),
      FORKTRACE_EXPORT: scene.journal || collector ? 'otlp-http' : 'none',
      FORKTRACE_PIPELINE: scene.journal || collector ? 'journal' : 'batch',
      ...(collector && { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}` }),
    });
    return withoutParticulars(announcementsFirst(shown), dir, {
      PORT: port,
      'PORT + 1': port + 1,
      COLLECTOR: collector?.port,
    });
  } finally {
    collector?.close();
    // A shipper that still boots has no lock yet, and would make its directory anew.
    await waitFor(() => {
      const pids = pidsWithEnvironment(`TMPDIR=${join(dir, 'tmp')}`);
      for (const pid of pids) kill(pid);
      return pids.length === 0;
    }, 'the end of its companions');
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

function install({ files, packages = [], copies = {}, alone }: Scene, dir: string): void {
  const modules = join(dir, 'node_modules');
  for (const [name, text] of Object.entries({ 'package.json': '{ "name": "shop", "type": "module" }', ...files })) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  for (const below of ['tmp', 'bin', 'node_modules/@opentelemetry']) mkdirSync(join(dir, below), { recursive: true });
  for (const name of ['@opentelemetry/api', ...packages])
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  for (const [at, [name, version]] of Object.entries(copies)) {
    cpSync(join(ROOT, 'node_modules', name), join(dir, at), { recursive: true });
    const manifest = JSON.parse(readFileSync(join(dir, at, 'package.json'), 'utf8'));
    writeFileSync(join(dir, at, 'package.json'), JSON.stringify({ ...manifest, version }));
  }
  if (alone) {
    for (const part of ['dist', 'package.json'])
      cpSync(join(ROOT, part), join(modules, 'forktrace', part), { recursive: true });
  } else symlinkSync(ROOT, join(modules, 'forktrace'));
  const command = `#!/bin/sh\nexec '${process.execPath}' '${ROOT}dist/cli/main.js' "$@"\n`;
  writeFileSync(join(dir, 'bin/forktrace'), command, { mode: 0o755 });
}

async function startCollector({ collector }: Scene) {
  if (collector === undefined) return undefined;
  let nth = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const [status, body = ''] = collector.answer?.(request.url!, nth++, Buffer.concat(chunks)) ?? [200];
    response.writeHead(status, { 'content-type': body.startsWith('{') ? 'application/json' : 'text/plain' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => server.close().closeAllConnections(),
  };
}

async function shownBy({ command, env, until }: Scene, dir: string, defaults: NodeJS.ProcessEnv): Promise<string> {
  const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...clean } = process.env;
  const child = spawn('/bin/sh', ['-c', `exec 2>&1\n${command}`], {
    cwd: dir,
    detached: true,
    // One pipe for both, as a terminal is: what comes first is shown first.
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...clean,
      // Named, since Node passes it on by itself: it would be written at the end, and said where that fails.
      NODE_V8_COVERAGE: undefined,
      NODE_ENV: 'production',
      PATH: `${join(dir, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}`,
      TMPDIR: join(dir, 'tmp'),
      ...defaults,
      ...env,
    },
  });
  const group = (signal: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, signal);
    } catch {
      // All of it has ended.
    }
  };
  let output = '';
  let told = false;
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (told || !until?.test(output)) return;
    told = true;
    group('SIGINT');
  });
  const timer = setTimeout(group, LONGEST_MS, 'SIGKILL');
  const code = await closed;
  clearTimeout(timer);
  group('SIGKILL');
  if (until === undefined) return `${output}(exit code ${code})\n`;
  // What comes after depends on how fast all of it ends.
  const { index = output.length, 0: match = '' } = until.exec(output) ?? {};
  const end = output.indexOf('\n', index + match.length - 1);
  return end < 0 ? output : output.slice(0, end + 1);
}

/** Coordinator and worker write to one terminal, in any order. */
function announcementsFirst(text: string): string {
  const lines = text.split(/(?<=\n)/);
  const isAnnouncement = (line: string) => /^forktrace: (spans go|serving)/.test(line);
  return [...lines.filter(isAnnouncement), ...lines.filter((line) => !isAnnouncement(line))].join('');
}

function withoutParticulars(text: string, dir: string, ports: Record<string, number | undefined>): string {
  let shown = text.replaceAll(dir, '/app').replaceAll(ROOT, '/forktrace/');
  for (const [name, port] of Object.entries(ports))
    if (port !== undefined) shown = shown.replaceAll(String(port), name);
  return shown
    .replaceAll(process.version.slice(1), 'VERSION')
    .replace(/\(node:\d+\)/g, '(node:PID)')
    .replace(/\bpids? \d+(, \d+)*/g, 'pid PID')
    .replace(/\b\d+(?= (ms|s|spans?|exports?|failed exports?)\b)/g, 'N')
    .replace(/(?<=dropped: )\d+/g, 'N')
    .replace(/\b[0-9a-f]{32}\b/g, 'ID')
    .replace(/(?<=slot )\d+/g, 'N')
    .replace(/forktrace-\d+(?=\/)/g, 'forktrace-UID')
    .replace(/^ +at .*(\/forktrace\/|node:).*\n/gm, '')
    .replace(/^Use `node.*\n|^\(Use `node.*\n/gm, '');
}
