/**
 * A process whose inspector opens for a peek prints the inspector's address on its standard error. These
 * lines are taken out of the output that is passed on, and the address goes to the code that waits for it.
 *
 * @module
 */

/**
 * The lines that Node prints: `src/inspector_agent.cc`, `src/inspector_socket_server.cc`. Some depend on
 * Node's version.
 */
const ADDRESS = /^Debugger listening on (ws:\/\/\S+)$/;
/**
 * Lines that may follow an address; several times if forktrace connects again while the inspector is still
 * open.
 */
const FOLLOWING =
  /^(For help, see: https:\/\/nodejs\.org\/\S+|Debugger attached\.|Waiting for the debugger to disconnect\.\.\.|Debugger ending on ws:\/\/\S+)$/;
const LONGEST = 256;

/** Takes the inspector's lines out of one process's standard error. */
export class InspectorLines {
  #rest = Buffer.alloc(0);
  /**
   * Number of signals sent whose address has not been printed yet. An address without such a signal belongs
   * to a user's debugger.
   */
  #signals = 0;
  /** Whether the last printed address is one of ours. */
  #isOurs = false;
  readonly #waiting = new Set<(url: string) => void>();
  readonly #late: (url: string) => void;
  #opened: string | undefined;

  /**
   * @param late gets an address for which nobody waits any longer, because native code blocked the process
   * for so long; the inspector is open and should be closed
   */
  constructor(late: (url: string) => void) {
    this.#late = late;
  }

  /**
   * Waits for the next printed address. Call it before the process is signalled.
   *
   * @param signal aborts the wait
   */
  address(signal: AbortSignal): Promise<string> {
    this.#signals++;
    return new Promise((resolve, reject) => {
      const found = (url: string) => {
        this.#waiting.delete(found);
        signal.removeEventListener('abort', abort);
        resolve(url);
      };
      const abort = () => {
        this.#waiting.delete(found);
        reject(new Error('the inspector did not open'));
      };
      this.#waiting.add(found);
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
    });
  }

  /** The last address that was opened for forktrace. It may be closed by now. */
  get opened(): string | undefined {
    return this.#opened;
  }

  /**
   * Whether the inspector at this address is open because of forktrace; true for any address while one is
   * still to be printed.
   */
  isOurs(url: string): boolean {
    return url === this.#opened || this.#signals > 0;
  }

  /** @returns the output to pass on; the same chunk, not copied, when no peek is under way */
  filter(chunk: Buffer): Buffer {
    if (this.#rest.length === 0 && this.#signals === 0 && !this.#isOurs) return chunk;
    const text = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const kept: Buffer[] = [];
    let start = 0;
    for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, start)) {
      const line = text.subarray(start, end + 1);
      if (!this.#takes(line)) kept.push(line);
      start = end + 1;
    }
    const rest = text.subarray(start);
    // The beginning of a line is kept back only if it may become one of the inspector's lines.
    if (rest.length <= LONGEST && mayBecomeOurs(rest)) this.#rest = Buffer.from(rest);
    else {
      kept.push(rest);
      this.#rest = Buffer.alloc(0);
    }
    return kept.length === 1 ? kept[0]! : Buffer.concat(kept);
  }

  /** At the end of the stream: the output that was kept back. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }

  #takes(line: Buffer): boolean {
    if (line.length > LONGEST || !mayBecomeOurs(line)) return false;
    const text = line.toString('latin1').trimEnd();
    const url = ADDRESS.exec(text)?.[1];
    if (url === undefined) return this.#isOurs && FOLLOWING.test(text);
    this.#isOurs = this.#signals > 0;
    if (!this.#isOurs) return false;
    this.#signals--;
    this.#opened = url;
    if (this.#waiting.size === 0) this.#late(url);
    for (const found of this.#waiting) found(url);
    return true;
  }
}

const BEGINNINGS = ['Debugger ', 'For help, see: ', 'Waiting for the debugger '].map((text) => Buffer.from(text));

function mayBecomeOurs(line: Buffer): boolean {
  if (line.length === 0) return false;
  return BEGINNINGS.some((beginning) => {
    const length = Math.min(beginning.length, line.length);
    return line.compare(beginning, 0, length, 0, length) === 0;
  });
}
