/**
 * Server-sent events: one `change` whenever the store has changed, at most a few times a second. What has
 * changed is for the page to ask, with its own filter.
 *
 * @module
 */
import type { ServerResponse } from 'node:http';

/** Fast enough to feel live, slow enough for a page to ask again each time. */
const INTERVAL_MS = 250;
/** Keeps proxies and the browser's own timeout away. */
const HEARTBEAT_MS = 15_000;
const MAX_LISTENERS = 64;

export class Live {
  readonly #responses = new Set<ServerResponse>();
  readonly #state: () => unknown;
  readonly #version: () => number;
  #sentVersion = -1;
  #sentAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(version: () => number, state: () => unknown) {
    this.#version = version;
    this.#state = state;
  }

  add(response: ServerResponse): void {
    if (this.#responses.size >= MAX_LISTENERS) {
      response.writeHead(503, { 'retry-after': '10' }).end();
      return;
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Keeps nginx from collecting events before it hands them on.
      'x-accel-buffering': 'no',
    });
    response.write(`retry: 1000\n${this.#event()}`);
    this.#responses.add(response);
    response.on('close', () => {
      this.#responses.delete(response);
      if (this.#responses.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
    this.#timer ??= setInterval(() => this.#tick(), INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const response of this.#responses) response.end();
  }

  #tick(): void {
    const now = performance.now();
    const version = this.#version();
    if (version === this.#sentVersion && now - this.#sentAt < HEARTBEAT_MS) return;
    this.#sentVersion = version;
    this.#sentAt = now;
    const event = this.#event();
    // One who does not read misses a change, not the next one.
    for (const response of this.#responses) if (!response.writableNeedDrain) response.write(event);
  }

  #event(): string {
    return `event: change\ndata: ${JSON.stringify(this.#state())}\n\n`;
  }
}
