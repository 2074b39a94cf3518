/**
 * A process that is peeked at says on its standard error that its inspector listens, and where. These lines
 * are for us: they are taken out of what is passed on, and the address goes to whoever waits for it.
 *
 * @module
 */

/**
 * What Node prints: `src/inspector_agent.cc`, `src/inspector_socket_server.cc`. Some lines depend on its
 * version.
 */
const ADDRESS = /^Debugger listening on (ws:\/\/\S+)$/;
/** What may follow an address: more than once where we connect again to an inspector that is still open. */
const FOLLOWING =
  /^(For help, see: https:\/\/nodejs\.org\/\S+|Debugger attached\.|Waiting for the debugger to disconnect\.\.\.|Debugger ending on ws:\/\/\S+)$/;
const LONGEST = 256;

/** Takes the inspector's lines out of one process's standard error. */
export class InspectorLines {
  #rest = Buffer.alloc(0);
  /** Signals whose address has not been printed yet. An address beyond them is somebody else's debugger's. */
  #signals = 0;
  /** The last address that was printed is ours. */
  #isOurs = false;
  readonly #waiting = new Set<(url: string) => void>();
  readonly #late: (url: string) => void;
  #opened: string | undefined;

  /**
   * @param late gets an address that nobody waits for any more: native code held the process for so long. The
   * inspector is open and should be closed.
   */
  constructor(late: (url: string) => void) {
    this.#late = late;
  }

  /**
   * The next address that is printed. To be called before the process is signalled.
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

  /** The last address that was opened for us; it may be closed by now. */
  get opened(): string | undefined {
    return this.#opened;
  }

  /** Whether an inspector is open because of us: at this address, or at one that is still to be printed. */
  isOurs(url: string): boolean {
    return url === this.#opened || this.#signals > 0;
  }

  /** @returns what is to be passed on; the same chunk, not copied, when no peek is under way */
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
    // The beginning of a line waits for its end only where it may be one of the inspector's.
    if (rest.length <= LONGEST && mayBecomeOurs(rest)) this.#rest = Buffer.from(rest);
    else {
      kept.push(rest);
      this.#rest = Buffer.alloc(0);
    }
    return kept.length === 1 ? kept[0]! : Buffer.concat(kept);
  }

  /** What waits for the end of its line, when the stream ends. */
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
