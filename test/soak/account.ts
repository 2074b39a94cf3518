/**
 * Who has written what, and what of it has come.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OtlpEndpoint } from '../endpoint/endpoint.js';
import { BAD_EVERY, ENDED } from '../fixtures/soak-writing.js';
import { isAlive } from '../process/alive.js';

export interface Writer {
  id: string;
  service: string;
  pid: number;
  /** Spans that it has ended, at least. */
  written: number;
  /** Its root span has ended. */
  hasEnded: boolean;
  lives: boolean;
}

/** Spans of one writer that a fault may have taken. */
interface Window {
  fault: string;
  id: string;
  from: number;
  to: number;
}

export interface Result {
  written: number;
  received: number;
  /** Spans that came more than once. */
  twice: number;
  /** Spans that the endpoint was told to refuse, and did. */
  refused: number;
  /** Lost spans, by the fault that may take some. */
  lostTo: Record<string, number>;
  /** Of these, spans of processes that were killed: nobody is left who could say so. */
  lostByKilled: number;
  /** Spans that are missing, and no fault may have taken them. */
  missing: string[];
  killed: number;
  /** Killed writers whose span in flight has not been told as interrupted. */
  untold: string[];
}

export class Account {
  readonly #dir: string;
  readonly #received = new Map<string, number>();
  readonly #interrupted = new Set<string>();
  readonly #killed = new Set<string>();
  readonly #windows: Window[] = [];

  constructor(dir: string) {
    this.#dir = dir;
  }

  writers(): Writer[] {
    return readdirSync(this.#dir).map((id) => {
      const [, service = '', pid] = /^(.*)-(\d+)-\d+$/.exec(id)!;
      const text = readFileSync(join(this.#dir, id), 'utf8');
      const hasEnded = text.endsWith(ENDED);
      const written = Number(text.replace(ENDED, ''));
      return { id, service, pid: Number(pid), written, hasEnded, lives: !this.#killed.has(id) && isAlive(Number(pid)) };
    });
  }

  kill({ id, pid }: Writer): void {
    this.#killed.add(id);
    process.kill(pid, 'SIGKILL');
  }

  collect(endpoint: OtlpEndpoint): void {
    for (const { name, attributes } of endpoint.received()) {
      this.#received.set(name, (this.#received.get(name) ?? 0) + 1);
      if (attributes['forktrace.interrupted'] === true) this.#interrupted.add(name);
    }
    endpoint.clear();
  }

  /** Whether what was written before is there: nothing of it is left for a fault to take. */
  hasCome(before: readonly Writer[]): boolean {
    return before.every((writer) => this.#missing(writer).length === 0);
  }

  /** From `before` on, the fault may take what is written. */
  mayLose(fault: string, before: readonly Writer[]): void {
    const from = new Map(before.map(({ id, written }) => [id, written]));
    for (const { id, written } of this.writers()) {
      if (from.get(id) !== written) this.#windows.push({ fault, id, from: from.get(id) ?? 0, to: written });
    }
  }

  result(): Result {
    const writers = this.writers();
    const lostTo: Record<string, number> = {};
    const missing: string[] = [];
    // One that was ending already had nothing in flight.
    const killed = writers.filter(({ id, hasEnded }) => this.#killed.has(id) && !hasEnded);
    let [written, refused, lostByKilled] = [0, 0, 0];
    for (const writer of writers) {
      written += writer.written;
      for (let n = 0; n < writer.written; n += BAD_EVERY) if (!this.#received.has(`${writer.id} ${n} bad`)) refused++;
      for (const n of this.#missing(writer)) {
        const window = this.#windows.find(({ id, from, to }) => id === writer.id && n >= from && n < to);
        if (window === undefined) missing.push(`${writer.id} ${n}`);
        else {
          lostTo[window.fault] = (lostTo[window.fault] ?? 0) + 1;
          if (this.#killed.has(writer.id)) lostByKilled++;
        }
      }
      if (!this.#received.has(`${writer.id} open`)) missing.push(`${writer.id} open`);
    }
    return {
      written,
      received: this.#received.size,
      twice: [...this.#received.values()].filter((times) => times > 1).length,
      refused,
      lostTo,
      lostByKilled,
      missing,
      killed: killed.length,
      untold: killed.filter(({ id }) => !this.#interrupted.has(`${id} open`)).map(({ id }) => id),
    };
  }

  /** Numbers of those that the endpoint has taken none of; bad ones may be refused. */
  #missing({ id, written }: Writer): number[] {
    const missing: number[] = [];
    for (let n = 0; n < written; n++) if (n % BAD_EVERY !== 0 && !this.#received.has(`${id} ${n}`)) missing.push(n);
    return missing;
  }
}
