/**
 * A network that fails, in front of an endpoint: bytes go to it and back, until they are told not to.
 *
 * @module
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export class Relay {
  readonly #to: () => number;
  readonly #pairs = new Set<{ near: Socket; far: Socket }>();
  #server: Server | undefined;
  readonly #host: string;
  #port: number;
  #poison: Buffer | undefined;
  #isStalled = false;
  /** Connections that {@link cutAt} has cut. */
  cuts = 0;

  private constructor(to: () => number, { host, port }: { host: string; port: number }) {
    this.#to = to;
    this.#host = host;
    this.#port = port;
  }

  /**
   * @param to the port of whatever is behind it, looked up for each connection
   * @param where it listens; port 0 is any that is free
   */
  static async start(
    t: Pick<TestContext, 'after'>,
    to: () => number,
    where = { host: '127.0.0.1', port: 0 },
  ): Promise<Relay> {
    const relay = new Relay(to, where);
    t.after(() => relay.close());
    await relay.listen();
    return relay;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://${this.#host}:${this.#port}`;
  }

  async listen(): Promise<void> {
    const server = createServer((near) => this.#connected(near)).listen(this.#port, this.#host);
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Refuses connections until {@link listen}. */
  close(): void {
    this.#server?.close();
    this.cut();
  }

  /** Resets every connection that there is. */
  cut(): void {
    for (const pair of this.#pairs) reset(pair);
  }

  /** Resets each connection on which these bytes are sent from now on. */
  cutAt(text: string | undefined): void {
    this.#poison = text === undefined ? undefined : Buffer.from(text);
  }

  /** What is sent is not taken, and no answer comes, until it is over. */
  stall(isStalled: boolean): void {
    this.#isStalled = isStalled;
    for (const { near, far } of this.#pairs) {
      if (isStalled) near.pause();
      else near.resume();
      if (isStalled) far.pause();
      else far.resume();
    }
  }

  #connected(near: Socket): void {
    const far = connect(this.#to(), '127.0.0.1');
    const pair = { near, far };
    this.#pairs.add(pair);
    let before = Buffer.alloc(0);
    near.on('data', (bytes) => {
      const seen = Buffer.concat([before, bytes]);
      if (this.#poison && seen.includes(this.#poison)) {
        this.cuts++;
        reset(pair);
        return;
      }
      before = seen.subarray(-200);
      if (!far.write(bytes)) near.pause();
    });
    far.on('drain', () => this.#isStalled || near.resume());
    far.on('data', (bytes) => near.write(bytes));
    near.once('end', () => far.end());
    far.once('end', () => near.end());
    for (const socket of [near, far]) {
      socket.once('error', () => reset(pair));
      socket.once('close', () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
    if (this.#isStalled) this.stall(true);
  }
}

function reset({ near, far }: { near: Socket; far: Socket }): void {
  near.resetAndDestroy();
  far.destroy();
}
