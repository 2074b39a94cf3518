/**
 * Asks a coordinator over its control socket.
 *
 * @module
 */
import { lstatSync } from 'node:fs';
import { Agent, type IncomingMessage, request as startRequest } from 'node:http';
import { ForktraceError } from '../errors.js';
import { printable } from '../printable.js';
import { controlAddress } from '../process/run-directory.js';
import type { ControlCommand, ControlCommands, ControlError } from './control-protocol.js';

/** Larger than the status of a thousand workers. */
const MAX_ANSWER_BYTES = 4 * 2 ** 20;

export class ControlClient {
  readonly pid: number;
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });

  /** @throws ForktraceError with code FORKTRACE_NO_COORDINATOR when the socket belongs to another user */
  constructor(pid: number, directory: string) {
    this.pid = pid;
    this.#socketPath = controlAddress(pid, directory);
    checkOwner(pid, this.#socketPath);
  }

  /** Sends a command. Rejects with the coordinator's error and its code, or with FORKTRACE_NO_COORDINATOR. */
  async ask<Command extends ControlCommand>(
    command: Command,
    body?: ControlCommands[Command]['body'],
  ): Promise<ControlCommands[Command]['result']> {
    let status: number | undefined;
    let answer: unknown;
    try {
      const response = await this.#send(command, body === undefined ? '' : JSON.stringify(body));
      status = response.statusCode;
      answer = JSON.parse(await textOf(response));
    } catch (cause) {
      throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [`pid ${this.pid} does not answer`], { cause });
    }
    if (status === 200) return withoutControls(answer) as ControlCommands[Command]['result'];
    const { code, message } = (withoutControls(answer) as Partial<ControlError> | null)?.error ?? {};
    throw Object.assign(new Error(message ?? `status ${status}`), { code: code ?? 'FORKTRACE_CONTROL' });
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(command: ControlCommand, body: string): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      startRequest({
        socketPath: this.#socketPath,
        agent: this.#agent,
        method: command === 'status' ? 'GET' : 'POST',
        path: `/${command}`,
        headers: { host: 'localhost', 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      })
        .once('response', resolve)
        .once('error', reject)
        .end(body);
    });
  }
}

/** The owner of the socket decides what is printed here: it must be this user, or root. */
function checkOwner(pid: number, path: string): void {
  if (process.platform === 'win32') return;
  const uid = lstatSync(path, { throwIfNoEntry: false })?.uid;
  if (uid === undefined) throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [`pid ${pid} has no socket at ${path}`]);
  if (uid === process.geteuid!() || uid === 0) return;
  throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [`the socket ${path} belongs to user ${uid}`]);
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) throw new Error(`more than ${MAX_ANSWER_BYTES} bytes`);
  }
  return text;
}

/**
 * Takes control characters out of all texts, so that the name of a service cannot move the cursor or change
 * the terminal's title.
 */
function withoutControls(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(withoutControls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutControls(item)]));
}
