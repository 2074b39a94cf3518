/**
 * The coordinator's control socket: HTTP on a Unix socket that only its owner can use.
 *
 * @module
 */
import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { describeValue, ForktraceError } from '../errors.js';
import { asOwnServer } from '../process/own-server.js';
import { controlAddress, prepareRunDirectory, runningCoordinators } from '../process/run-directory.js';
import { runDirectory } from '../process/run-path.js';
import { warn } from '../warn.js';
import {
  CONTROL_COMMANDS,
  type ControlCommand,
  type ControlCommands,
  MAX_CONTROL_BODY_BYTES,
} from './control-protocol.js';
import type { ClusterStats } from './handle.js';

/**
 * Not an import: that would read all exports of node:http, including `WebSocket`, which loads undici (14 MB
 * on Node 24).
 */
const { createServer } = process.getBuiltinModule('node:http');

/** The commands that the control socket carries out. */
export interface Controllable {
  stats(): ClusterStats;
  reload(): Promise<readonly number[]>;
  scale(workers: number): Promise<void>;
  /** @returns the pid of the killed process */
  kill(slot: number): number;
  /**
   * Opens the inspector of a worker.
   * @returns its address
   */
  openInspector(slot: number): Promise<{ pid: number; url: string }>;
  stop(): void;
}

const MAX_CONNECTIONS = 16;
/** Milliseconds within which a client must have sent its whole request. */
const REQUEST_MS = 5000;

export class ControlServer {
  readonly #target: Controllable;
  readonly #address: string;
  readonly #server: Server;

  /** Listens on the socket. A coordinator that cannot listen warns, and runs without a control socket. */
  static async start(target: Controllable): Promise<ControlServer | undefined> {
    try {
      const directory = runDirectory();
      prepareRunDirectory(directory);
      // Also removes the sockets of dead coordinators.
      runningCoordinators(directory);
      const server = new ControlServer(target, controlAddress(process.pid, directory));
      await server.#listen();
      return server;
    } catch (error) {
      warn('FORKTRACE_NO_CONTROL_SOCKET', `forktrace status, reload, scale, kill and stop will not work: ${error}`);
      return undefined;
    }
  }

  private constructor(target: Controllable, address: string) {
    this.#target = target;
    this.#address = address;
    this.#server = asOwnServer(
      createServer(
        { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1000 },
        (request, response) => void this.#serve(request, response),
      ),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    // A client that sends no request does not keep the coordinator running.
    this.#server.on('connection', (socket) => socket.unref());
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
    // A coordinator that an error ends removes its socket, too.
    process.once('exit', this.close);
  }

  readonly close = (): void => {
    process.off('exit', this.close);
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#address, { force: true });
  };

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const command = commandOf(request);
      const body = await bodyOf(request);
      answer(response, 200, await this.#perform(command, body));
    } catch (error) {
      const known = error instanceof ForktraceError;
      const { code, message } = known ? error : new ForktraceError('FORKTRACE_CONTROL', [String(error)]);
      // The rest of an incomplete request is not waited for.
      response.shouldKeepAlive = request.complete;
      answer(response, statusOf(code), { error: { code, message } });
    }
  }

  async #perform<Command extends ControlCommand>(command: Command, body: unknown): Promise<unknown> {
    const target = this.#target;
    const results: { [Name in ControlCommand]: () => Promise<ControlCommands[Name]['result']> } = {
      status: async () => target.stats(),
      reload: async () => {
        const reloading = target.reload();
        if ((body as { wait?: unknown } | null | undefined)?.wait !== false) return { slots: await reloading };
        // The reload warns about a failure itself.
        reloading.catch(() => {});
        return { slots: [] };
      },
      scale: async () => {
        const workers = wantedWorkers(body, target.stats().size);
        await target.scale(workers);
        return { workers };
      },
      kill: async () => ({ pid: target.kill(numberIn(body, 'slot')) }),
      inspector: () => target.openInspector(numberIn(body, 'slot')),
      stop: async () => {
        target.stop();
        return {};
      },
    };
    return results[command]();
  }
}

function commandOf({ method, url }: IncomingMessage): ControlCommand {
  const command = CONTROL_COMMANDS.find((name) => url === `/${name}`);
  const expected = command === 'status' ? 'GET' : 'POST';
  if (command === undefined || method !== expected) throw refused(`${method} ${url?.slice(0, 100)}`);
  return command;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request) {
    text += chunk;
    if (text.length > MAX_CONTROL_BODY_BYTES) throw refused(`a body of more than ${MAX_CONTROL_BODY_BYTES} bytes`);
  }
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw refused('a body that is not JSON');
  }
}

function wantedWorkers(body: unknown, size: number): number {
  return typeof body === 'object' && body !== null && 'by' in body
    ? size + numberIn(body, 'by')
    : numberIn(body, 'workers');
}

function numberIn(body: unknown, field: string): number {
  const value = (body as Record<string, unknown> | undefined)?.[field];
  if (!Number.isSafeInteger(value)) throw refused(`${field} ${describeValue(value)}`);
  return value as number;
}

function refused(found: string): ForktraceError {
  return new ForktraceError('FORKTRACE_CONTROL_REQUEST', [found]);
}

function statusOf(code: string): number {
  if (code === 'FORKTRACE_CONTROL_REQUEST' || code === 'FORKTRACE_CONFIG_INVALID') return 400;
  return code === 'FORKTRACE_CONTROL' ? 500 : 409;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
