/**
 * The coordinator's control socket: owner only, bounded, and deaf to nonsense.
 *
 * @module
 */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { ForktraceError } from '../errors.js';
import { warn } from '../warn.js';
import { type ControlAnswer, type ControlRequest, MAX_REQUEST_BYTES, parseRequest } from './control-protocol.js';
import type { ClusterStats } from './handle.js';
import { LineSplitter } from './line-splitter.js';
import { controlAddress, prepareRunDirectory, runDirectory, runningCoordinators } from './run-directory.js';

/** What the control socket may ask for. */
export interface Controllable {
  stats(): ClusterStats;
  reload(): Promise<readonly number[]>;
  scale(workers: number): Promise<void>;
  stop(): void;
}

const MAX_CONNECTIONS = 16;

export class ControlServer {
  readonly #target: Controllable;
  readonly #address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Listens; a coordinator that cannot says so and runs without. */
  static async start(target: Controllable): Promise<ControlServer | undefined> {
    try {
      const directory = runDirectory();
      prepareRunDirectory(directory);
      // Sweeps away the sockets of the dead.
      runningCoordinators(directory);
      const server = new ControlServer(target, controlAddress(process.pid, directory));
      await server.#listen();
      return server;
    } catch (error) {
      warn('FORKTRACE_NO_CONTROL_SOCKET', `forktrace status, reload, scale and stop will not work: ${error}`);
      return undefined;
    }
  }

  private constructor(target: Controllable, address: string) {
    this.#target = target;
    this.#address = address;
    this.#server = createServer((socket) => this.#serve(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  async #listen(): Promise<void> {
    rmSync(this.#address, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#address, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#server.on('error', () => {});
    if (process.platform !== 'win32') chmodSync(this.#address, 0o600);
    this.#server.unref();
    // A coordinator that is ended by an error leaves no socket either.
    process.once('exit', this.close);
  }

  readonly close = (): void => {
    process.off('exit', this.close);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    rmSync(this.#address, { force: true });
  };

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    // Somebody who asks nothing does not keep the coordinator.
    socket.unref();
    socket.on('error', () => {});
    socket.once('close', () => this.#sockets.delete(socket));
    const lines = new LineSplitter(MAX_REQUEST_BYTES);
    socket.on('data', (chunk) => {
      const whole = lines.push(chunk);
      if (!whole) {
        socket.end(answerLine({ id: null, error: badRequest(`more than ${MAX_REQUEST_BYTES} bytes in a line`) }));
        socket.removeAllListeners('data');
        socket.resume();
        return;
      }
      for (const line of whole) if (line.trim() !== '') void this.#answer(socket, line);
    });
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    const request = parseRequest(line);
    if (typeof request === 'string') {
      socket.write(answerLine({ id: null, error: badRequest(request) }));
      return;
    }
    const id = request.id ?? null;
    try {
      const result = await this.#perform(request);
      if (!socket.destroyed) socket.write(answerLine({ id, result }));
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (!socket.destroyed) socket.write(answerLine({ id, error: { code: code ?? 'FORKTRACE_CONTROL', message } }));
    }
  }

  async #perform({ command, argument }: ControlRequest): Promise<unknown> {
    switch (command) {
      case 'status':
        return this.#target.stats();
      case 'reload':
        return this.#target.reload();
      case 'scale':
        await this.#target.scale(argument as number);
        return null;
      case 'stop':
        this.#target.stop();
        return null;
    }
  }
}

function answerLine(answer: ControlAnswer): string {
  return `${JSON.stringify(answer)}\n`;
}

function badRequest(reason: string): { code: string; message: string } {
  const { code, message } = new ForktraceError('FORKTRACE_CONTROL_REQUEST', [reason]);
  return { code, message };
}
