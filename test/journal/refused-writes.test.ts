// System calls that are refused, for whatever reason: what is lost by it is counted and said, and nothing
// else.
import assert from 'node:assert/strict';
import fs, { readlinkSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { constants } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import { getSystemErrorName } from 'node:util';
import { openJournal } from '#src/journal/journal.js';
import { JournalWriter } from '#src/journal/journal-writer.js';
import { type Mapping, mappingUnavailable, systemMapping } from '#src/journal/mapped-memory.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { readBack } from './read-back.js';
import { scopeBytes, spanBytes } from './span-bytes.js';

const CODES = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS', 'ENOMEM', 'ENXIO', 'EAGAIN', 'EPERM'] as const;
const SPACE: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];
const resource = Buffer.alloc(0);

/**
 * Refuses each write to a file below a directory with this error, as Node throws it, until it is called off.
 */
function refusing(t: TestContext, dir: string, name: (typeof CODES)[number]): () => void {
  const errno = -constants.errno[name];
  const code = getSystemErrorName(errno);
  const original = fs.writeSync as (...args: unknown[]) => number;
  const replace = (by: unknown) => {
    Object.assign(fs, { writeSync: by });
    syncBuiltinESMExports();
  };
  replace((...args: unknown[]) => {
    if (readlinkSync(`/proc/self/fd/${args[0]}`).startsWith(dir))
      throw Object.assign(new Error(`${code}: refused, write`), { code, errno });
    return original(...args);
  });
  const end = () => replace(original);
  t.after(end);
  return end;
}

function warnings(t: TestContext): string[] {
  const said: string[] = [];
  const onWarning = ({ message }: Error) => said.push(message);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  return said;
}

function reasonOf(code: string): RegExp {
  const denied = code === 'EPERM' ? 'user \\d+ cannot create files' : 'no file can be written';
  return new RegExp(
    `Spans lost: \\d+, because ${SPACE.includes(code) ? 'there is no space' : denied} in .*\\(${code}\\)`,
  );
}

/** Ten spans, in the file when it returns if that takes them. */
function write(journal: ReturnType<typeof openJournal>, first: number): void {
  for (let id = first; id < first + 10; id++) {
    const bytes = spanBytes(id);
    journal.append(scopeBytes('test'), bytes, 0, bytes.length);
  }
  journal.flush();
}

// One after the other: the calls are those of the whole process.
describe('writes that are refused', () => {
  for (const code of CODES)
    test(`write mode, ${code}: the spans of that time are counted, and those before and after are there`, async (t) => {
      const dir = await tempDir(t);
      const warned = warnings(t);
      const journal = openJournal({ dir, resource, mode: 'write' });
      t.after(() => journal.close());
      write(journal, 1);
      const end = refusing(t, dir, code);
      write(journal, 11);
      end();
      write(journal, 21);
      assert.equal(journal.stats().lost.noSpace, 10);
      const ids = readBack(dir).ended.map(({ id }) => id);
      const said = reasonOf(code);
      await waitFor(
        () => warned.some((message) => said.test(message)),
        () => `${said} in ${warned.join('\n')}`,
      );
      assert.deepEqual(
        ids,
        [...Array(30).keys()].map((n) => n + 1).filter((id) => id < 11 || id > 20),
      );
    });
});

const skip = mappingUnavailable();

for (const code of CODES)
  test(`mmap mode, ${code} for the space of a file: all spans are counted, and the reason is said`, {
    skip,
  }, async (t) => {
    const dir = await tempDir(t);
    const errno = constants.errno[code];
    const mapping: Mapping = {
      ...systemMapping,
      reserve: () => errno,
      reserveAsync: (_fd, _length, done) => void setImmediate(done, errno),
    };
    const warned = warnings(t);
    const journal = new JournalWriter({ dir, resource, segmentBytes: 64 * 1024, inFlight: 16 }, mapping);
    write(journal, 1);
    journal.close();
    assert.equal(journal.stats().lost.noSpace, 10);
    assert.equal(readBack(dir).ended.length, 0);
    const said = reasonOf(code);
    await waitFor(
      () => warned.some((message) => said.test(message)),
      () => `${said} in ${warned.join('\n')}`,
    );
  });
