import { Agent, get } from 'node:http';
import type { TestContext } from 'node:test';
import { waitFor } from '../process/wait-for.js';

/**
 * No answer by then is a failure: node:cluster may hand a connection to a worker that dies before it takes
 * it.
 */
const ANSWER_MS = 10_000;

/** Clients that ask, on keep-alive connections, until they are stopped. */
export class Load {
  /** Paths of requests that were answered with 200. */
  readonly answered: string[] = [];
  readonly failures: string[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #port: number;
  readonly #pathOf: (request: number) => string;
  #requests = 0;
  #stopped = false;
  readonly #clients: Promise<void>[];

  /** @param t A test that fails asks nobody any more. */
  constructor(t: Pick<TestContext, 'after'>, port: number, pathOf: (request: number) => string = () => '/') {
    this.#port = port;
    this.#pathOf = pathOf;
    this.#clients = Array.from({ length: 4 }, () => this.#client());
    t.after(() => this.stop());
  }

  async more(answers = 50): Promise<void> {
    const wanted = this.answered.length + answers;
    await waitFor(
      () => this.answered.length >= wanted,
      () => `${answers} answers more; failed: ${this.failures.slice(0, 5).join('; ')}`,
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  async #client(): Promise<void> {
    while (!this.#stopped) {
      const path = this.#pathOf(this.#requests++);
      await new Promise<void>((resolve) => {
        const failed = (error: Error) => {
          this.failures.push(String(error));
          resolve();
        };
        const signal = AbortSignal.timeout(ANSWER_MS);
        get({ port: this.#port, host: '127.0.0.1', agent: this.#agent, path, signal }, (response) => {
          response.resume().on('end', () => {
            if (response.statusCode === 200) this.answered.push(path);
            else this.failures.push(String(response.statusCode));
            resolve();
          });
          response.on('error', failed);
        }).on('error', failed);
      });
    }
  }
}
