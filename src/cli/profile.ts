/**
 * `forktrace profile`: where processes spend their time, as a file for Chrome's and VS Code's viewers, and as
 * a flame graph here.
 *
 * @module
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type CpuProfile, flameOf, mergeProfiles, takeProfile } from '../forensics/cpu-profile.js';
import { InspectorSession } from '../forensics/inspector-client.js';
import { print } from './arguments.js';
import { flameGraph, hottest } from './flame-graph.js';
import { flamePage } from './flame-page.js';
import { type LookedInto, lookedInto } from './look-into.js';

/** For a process to answer, beyond the time that is profiled. */
const ANSWERS_WITHIN_MS = 15_000;
const MOST_FLAME_ROWS = 24;
const DEFAULT_WIDTH = 100;

interface ProfileOptions {
  pid?: number;
  json?: boolean;
  seconds: number;
  out?: string;
  html?: boolean;
}

export async function profile(target: number | undefined, options: ProfileOptions): Promise<void> {
  const processes = await lookedInto(target, options);
  const file = options.out ?? `forktrace-${new Date().toISOString().replace(/[:.]/g, '-')}.cpuprofile`;
  // One that cannot be written is known before the time is spent. It names files and functions of the app:
  // its owner's alone.
  const descriptor = openSync(file, 'w', 0o600);
  const parts = await Promise.all(processes.map((each) => profiled(each, options.seconds * 1000)));
  const merged = mergeProfiles(parts);
  writeFileSync(descriptor, JSON.stringify(merged));
  closeSync(descriptor);
  const flame = flameOf(merged);
  const names = parts.map(({ name }) => name);
  const done = `${names.join(', ')}: ${Math.round(flame.totalUs / 1000)} ms of work in ${options.seconds} s`;
  const page = options.html ? `${file.replace(/\.cpuprofile$/, '')}.html` : undefined;
  if (page !== undefined) writeFileSync(page, flamePage(flame, done), { mode: 0o600 });
  const text = [
    ...flameGraph(flame, process.stdout.columns ?? DEFAULT_WIDTH, MOST_FLAME_ROWS),
    '',
    ...hottest(flame, 10),
    '',
    `${done}; written to ${file}`,
    ...(page === undefined ? [] : [`the flame graph as a page: ${pathToFileURL(page).href}`]),
  ].join('\n');
  print({ file, page, processes: names, workMs: Math.round(flame.totalUs / 1000) }, text, options);
}

async function profiled({ slot, pid, open }: LookedInto, ms: number): Promise<{ name: string; profile: CpuProfile }> {
  const { url, wasOpen } = await open();
  const session = await InspectorSession.connect(url, AbortSignal.timeout(ms + ANSWERS_WITHIN_MS));
  try {
    const taken = await takeProfile(session, ms, wasOpen ? undefined : ms + ANSWERS_WITHIN_MS);
    if (!wasOpen) await session.evaluate("void setImmediate(() => process.getBuiltinModule('node:inspector').close())");
    return { name: slot === undefined ? `pid ${pid}` : `slot ${slot} (pid ${pid})`, profile: taken };
  } finally {
    session.close();
  }
}
