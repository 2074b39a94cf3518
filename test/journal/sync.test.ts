import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { test } from 'node:test';
import { chunkLengthAt } from '#src/journal/chunk.js';
import { listJournal } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment } from '#src/journal/segment-reader.js';
import { decode } from '#src/wire/decode.js';
import { ResourceSpans } from '#src/wire/otlp.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { journalScene } from '../shipper/journal-scene.js';

const PAGE = 4096;

interface Chunk {
  name: string;
  path: string;
  /** From the start of the file. */
  start: number;
  end: number;
}

function chunksIn(dir: string): Chunk[] {
  return listJournal(dir).flatMap((file) => {
    if (file.kind !== 'segment') return [];
    const segment = openSegment(file, true);
    assert.ok(!isUnsound(segment));
    const { bytes, corrupt } = segment.read(0, segment.state().committed, 2 ** 20);
    assert.equal(corrupt, false);
    segment.close();
    const chunks: Chunk[] = [];
    for (let at = 0; at < bytes.length; ) {
      const end = at + chunkLengthAt(bytes, at, bytes.length, segment.trailer);
      const [scopeSpans] = decode(bytes.subarray(at, end), ResourceSpans).scopeSpans!;
      const start = segment.header.headerLength + at;
      chunks.push({ name: scopeSpans!.spans![0]!.name!, path: file.path, start, end: start + end - at });
      at = end;
    }
    return chunks;
  });
}

type Damage = (page: Buffer, ofOther: Buffer) => void;
const DAMAGES: Record<string, { pages: number[]; damage: Damage; sync: string[] }> = {
  'pages that never reached the disk': {
    pages: [2, 5, 6],
    damage: (page) => page.fill(0),
    sync: ['none', 'interval'],
  },
  'the first page': { pages: [1], damage: (page) => page.fill(0), sync: ['none', 'interval'] },
  'the last page': { pages: [-1], damage: (page) => page.fill(0), sync: ['none', 'interval'] },
  'a page of another segment, as of what the file held before,': {
    pages: [4],
    damage: (page, ofOther) => ofOther.copy(page),
    sync: ['interval'],
  },
  'sectors of zeros': { pages: [3, 8], damage: (page) => page.fill(0, 512, 1536), sync: ['interval'] },
  'single bits': {
    pages: [2, 3, 7],
    damage: (page) => {
      page[1000]! ^= 4;
    },
    sync: ['interval'],
  },
};

for (const mode of ['mmap', 'write']) {
  for (const [what, { pages, damage, sync }] of Object.entries(DAMAGES)) {
    for (const how of sync) {
      test(`${mode}, sync ${how}: ${what} cost the spans in them, which is said; all others arrive, and nothing else`, async (t) => {
        const { dir, ship, warnings } = await journalScene(t);
        const endpoint = await OtlpEndpoint.start(t);
        const writer = runProgram(t, fixture('span-writer'), { args: [dir, mode, '1200', 'span', '0', 'wait', how] });
        await writer.waitForOutput(/written/);
        writer.kill('SIGKILL');
        await writer.waitForExit();
        const chunks = chunksIn(dir);
        assert.equal(chunks.length, 1200);
        const path = chunks[0]!.path;
        const lastPage = Math.floor((chunks.findLast((chunk) => chunk.path === path)!.end - 1) / PAGE);
        const fd = openSync(path, 'r+');
        const pageOf = (number: number) => {
          const page = Buffer.alloc(PAGE);
          readSync(fd, page, 0, PAGE, number * PAGE);
          return page;
        };
        const changed = new Set<number>();
        for (const number of pages.map((page) => (page < 0 ? lastPage + 1 + page : page))) {
          const before = pageOf(number);
          const page = Buffer.from(before);
          damage(page, readFileSync(chunks.at(-1)!.path).subarray(number * PAGE, (number + 1) * PAGE));
          writeSync(fd, page, 0, PAGE, number * PAGE);
          for (let at = 0; at < PAGE; at++) if (page[at] !== before[at]) changed.add(number * PAGE + at);
        }
        closeSync(fd);
        const isDamaged = (chunk: Chunk) => {
          if (chunk.path !== path) return false;
          for (let at = chunk.start; at < chunk.end; at++) if (changed.has(at)) return true;
          return false;
        };
        const whole = chunks.filter((chunk) => !isDamaged(chunk)).map(({ name }) => name);
        assert.ok(whole.length < 1200);
        const { shipper } = ship({ url: endpoint.grpcUrl });
        await endpoint.waitForSpans(whole.length);
        await waitFor(() => shipper.stats().lagBytes === 0, 'the end');
        assert.deepEqual(
          endpoint
            .received()
            .map(({ name }) => name)
            .sort(),
          whole.sort(),
        );
        await waitFor(() => warnings.some(({ code }) => code === 'FORKTRACE_JOURNAL_MALFORMED'), 'a word');
        await waitFor(() => listJournal(dir).length === 0, 'the files to go');
      });
    }
  }
}

test('sync interval: what has been kept is on the disk after the interval, and none leaves that to the system', async (t) => {
  const dirtyOf = async (sync: string, isEnough: (kilobytes: number) => boolean) => {
    const { dir } = await journalScene(t);
    const writer = runProgram(t, fixture('span-writer'), { args: [dir, 'mmap', '400', 'span', '2', 'wait', sync] });
    await writer.waitForOutput(/written/);
    let kilobytes = -1;
    await waitFor(
      () => {
        kilobytes = dirtyIn(readFileSync(`/proc/${writer.pid}/smaps`, 'utf8'), dir);
        return isEnough(kilobytes);
      },
      `pages that are ${sync === 'none' ? 'dirty' : 'clean'}`,
    );
    return kilobytes;
  };
  assert.ok((await dirtyOf('none', (kilobytes) => kilobytes > 0)) > 30);
  assert.equal(await dirtyOf('interval', (kilobytes) => kilobytes === 0), 0);
});

/** Kilobytes of mapped files below a directory that the disk does not have. */
function dirtyIn(smaps: string, dir: string): number {
  let kilobytes = 0;
  let isBelow = false;
  for (const line of smaps.split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) isBelow = line.includes(dir) && /\.(segment|inflight)$/.test(line);
    const dirty = /^(?:Shared|Private)_Dirty:\s+(\d+) kB/.exec(line);
    if (isBelow && dirty) kilobytes += Number(dirty[1]);
  }
  return kilobytes;
}
