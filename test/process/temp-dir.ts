import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const made = new Set<string>();

process.once('exit', () => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true });
});

/**
 * Removes it at the end of the test file, after its test has removed it: a journal that is closed after its
 * directory has gone, or a shipper that was killed late, saves there what it holds.
 */
export function removeAtExit(dir: string): string {
  made.add(dir);
  return dir;
}

/** A directory of the test's own, removed at its end. */
export async function tempDir(t: Pick<TestContext, 'after'>): Promise<string> {
  const dir = removeAtExit(await mkdtemp(join(tmpdir(), 'forktrace-test-')));
  // Retries: a process that the test killed may have been writing a moment ago.
  t.after(() => rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  return dir;
}
