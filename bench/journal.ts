// What keeping a span costs: one append, or begin + finish, of a span of about 300 encoded bytes, by mode;
// and the ways to copy that were weighed. Excludes encoding. One process, one thread; rounds are interleaved
// and the median of rounds is printed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeScopeFields } from '#src/journal/encoder.js';
import { type Journal, openJournal } from '#src/journal/journal.js';
import { listJournal, removeFile } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment } from '#src/journal/segment-reader.js';

const ROUNDS = 15;
const SPANS = 40_000;
const SPANS_PER_TURN = 20;

const scope = encodeScopeFields({ name: 'bench' });
const start = Buffer.concat([Buffer.from([0x2a, 0xa0, 0x01]), Buffer.alloc(160, 'n')]);
const end = Buffer.concat([Buffer.from([0x1a, 0x80, 0x01]), Buffer.alloc(128, 't')]);
const whole = Buffer.concat([start, end]);

/** Stands for the shipper: without one the directory's bound would be part of what is measured. */
function deleteSealed(dir: string): void {
  for (const file of listJournal(dir)) {
    if (file.kind !== 'segment') continue;
    const segment = openSegment(file);
    if (isUnsound(segment)) continue;
    if (segment.state().sealed) removeFile(file.path);
    segment.close();
  }
}

async function spans(journal: Journal, keep: () => void): Promise<number> {
  let busy = 0;
  for (let done = 0; done < SPANS; done += SPANS_PER_TURN) {
    const from = performance.now();
    for (let i = 0; i < SPANS_PER_TURN; i++) keep();
    busy += performance.now() - from;
    // `write` mode pays in its immediate, which runs in this turn.
    const immediate = performance.now();
    await turn();
    if (journal.mode === 'write') busy += performance.now() - immediate;
  }
  deleteSealed(journal.dir);
  return (busy / SPANS) * 1e6;
}

const target = new Uint8Array(4 * 1024 * 1024);
const source = new Uint8Array(4096).fill(7);
function copies(copy: (from: number, to: number, at: number) => void): number {
  const from = performance.now();
  let at = 0;
  for (let i = 0; i < SPANS; i++) {
    if (at + 300 > target.length) at = 0;
    copy(i & 63, (i & 63) + 300, at);
    at += 300;
  }
  return ((performance.now() - from) / SPANS) * 1e6;
}

const dir = mkdtempSync(join(tmpdir(), 'forktrace-bench-'));
const resource = Buffer.alloc(0);
const mapped = openJournal({ dir: join(dir, 'mmap'), mode: 'mmap', resource });
const written = openJournal({ dir: join(dir, 'write'), mode: 'write', resource });
const synced = openJournal({ dir: join(dir, 'synced'), mode: 'mmap', resource, sync: 'interval' });
const all = [mapped, written, synced];
const lost = () => all.reduce((sum, journal) => sum + journal.stats().lost.total, 0);

function both(journal: Journal): () => void {
  return () => {
    const entry = journal.begin(scope, start, 0, start.length);
    journal.finish(entry, end, 0, end.length, false);
  };
}

const status = Buffer.from([0x4a, 0x02, 0x0a, 0x00]);
/** As a request does whose answer leaves in the turn in which it came. */
function answered(journal: Journal): () => void {
  return () => {
    const entry = journal.begin(scope, start, 0, start.length);
    journal.amend(entry, status, 0, status.length);
    journal.settle(entry);
    journal.finish(entry, end, 0, end.length, false);
  };
}

const sourceBuffer = Buffer.from(source.buffer);
const targetBuffer = Buffer.from(target.buffer);
const measured: Record<string, () => Promise<number> | number> = {
  'mmap: append': () => spans(mapped, () => mapped.append(scope, whole, 0, whole.length)),
  'mmap: begin + finish': () => spans(mapped, both(mapped)),
  'mmap, sync interval: append': () => spans(synced, () => synced.append(scope, whole, 0, whole.length)),
  'mmap, sync interval: begin + finish': () => spans(synced, both(synced)),
  'write: append': () => spans(written, () => written.append(scope, whole, 0, whole.length)),
  'write: begin + finish': () => spans(written, both(written)),
  'write: begin + answer + finish': () => spans(written, answered(written)),
  'copy 300 bytes: set(subarray)': () => copies((a, b, at) => target.set(source.subarray(a, b), at)),
  'copy 300 bytes: Buffer.copy': () => copies((a, b, at) => void sourceBuffer.copy(targetBuffer, at, a, b)),
  'copy 300 bytes: loop': () =>
    copies((a, b, at) => {
      for (let i = a; i < b; i++) target[at++] = source[i]!;
    }),
};

const results = new Map<string, number[]>(Object.keys(measured).map((name) => [name, []]));
for (let round = -2; round < ROUNDS; round++) {
  for (const [name, measure] of Object.entries(measured)) {
    const ns = await measure();
    if (round >= 0) results.get(name)!.push(ns);
  }
}
for (const journal of all) journal.close();

console.log(`Node ${process.version}, ${ROUNDS} rounds of ${SPANS} spans, nanoseconds per span: median [quartiles]`);
for (const [name, values] of results) {
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.floor((values.length - 1) * share)]!.toFixed(0).padStart(5);
  console.log(`${name.padEnd(36)}${at(0.5)} [${at(0.25)} ${at(0.75)}]`);
}
console.log(`segments: ${mapped.stats().segments}; spans lost: ${lost()}`);
rmSync(dir, { recursive: true, force: true });
if (lost() > 0) process.exitCode = 1;
