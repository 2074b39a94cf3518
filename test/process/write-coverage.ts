/**
 * What a process has run, written before the test that started it kills it: Node.js writes coverage at a
 * process's exit alone. Only when coverage is measured (NODE_V8_COVERAGE), and only of processes whose test
 * is over.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { evaluate } from '#src/forensics/inspector-client.js';
import { openInspector } from '#src/forensics/open-inspector.js';
import { isAlive } from './alive.js';

const WITHIN_MS = 3000;
/** Of one test file: those that follow mostly run the same again, and each takes some 100 ms. */
const MOST_PROCESSES = 20;
const WRITE = "process.getBuiltinModule('v8').takeCoverage()";

/** Of all test files: every process opens its inspector on the same port. */
const LOCK = '\0forktrace-test-coverage';

let killed = 0;

/** SIGKILL, after its coverage has been written where that is possible: not of one that is stopped. */
export async function killWithCoverage(pid: number): Promise<void> {
  if (!isAlive(pid)) return;
  if (++killed > MOST_PROCESSES) return kill(pid);
  const lock = await locked();
  try {
    if (isRunning(pid)) {
      const signal = AbortSignal.timeout(WITHIN_MS);
      await evaluate((await openInspector(pid, signal)).url, WRITE, signal);
    }
  } catch {
    // It is no Node.js program, blocked in native code, or has ended.
  } finally {
    kill(pid);
    lock.close();
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

function isRunning(pid: number): boolean {
  return /^State:\s*[RSD]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

/** An abstract socket has one listener at a time, and none once its process has ended (unix(7)). */
async function locked(): Promise<Server> {
  for (;;) {
    const server = createServer();
    const taken = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(LOCK, () => resolve(true));
    });
    if (taken) return server;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
