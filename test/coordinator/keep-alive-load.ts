import { Agent } from 'node:http';
import type { RunningCluster, Served } from './running-cluster.js';

/** Clients that send one request after the other, each on its own keep-alive connection. */
export class KeepAliveLoad {
  readonly failures: Error[] = [];
  readonly served: Served[] = [];
  readonly #clients: Promise<void>[];
  #running = true;

  constructor(cluster: RunningCluster, connections: number, path = '/') {
    // A test that fails stops its cluster, and asks nobody any more.
    void cluster.exited.then(() => {
      this.#running = false;
    });
    this.#clients = Array.from({ length: connections }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (this.#running) {
        try {
          this.served.push(await cluster.get(path, agent));
        } catch (error) {
          this.failures.push(error as Error);
        }
      }
      agent.destroy();
    });
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
  }
}
