import { connect, type Socket } from 'node:net';
import { ForktraceError } from '../errors.js';
import { printable } from '../printable.js';
import type { ControlAnswer, ControlCommand, ControlCommands } from './control-protocol.js';
import { LineSplitter } from './line-splitter.js';
import { controlAddress, isOwnSocket } from './run-directory.js';

/** A status of a thousand workers takes less. */
const MAX_ANSWER_BYTES = 4 * 2 ** 20;

type Settle = (answer: ControlAnswer) => void;

/** Talks to one coordinator. */
export class ControlClient {
  readonly pid: number;
  /** The coordinator is gone, or has hung up. */
  readonly closed: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, Settle>();
  #lastId = 0;

  /** @throws ForktraceError with code FORKTRACE_NO_COORDINATOR */
  static async connect(pid: number, directory: string): Promise<ControlClient> {
    const address = controlAddress(pid, directory);
    if (!isOwn(address)) throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [`${address} is not this user's`]);
    const socket = connect(address);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
    } catch (error) {
      throw new ForktraceError('FORKTRACE_NO_COORDINATOR', [`pid ${pid} does not answer`], { cause: error });
    }
    return new ControlClient(pid, socket);
  }

  private constructor(pid: number, socket: Socket) {
    this.pid = pid;
    this.#socket = socket;
    const lines = new LineSplitter(MAX_ANSWER_BYTES);
    socket.on('data', (chunk) => {
      const whole = lines.push(chunk);
      if (!whole) return socket.destroy();
      for (const line of whole) {
        const answer = parseAnswer(line);
        if (!answer) return void socket.destroy();
        this.#hear(answer);
      }
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        const { code, message } = new ForktraceError('FORKTRACE_NO_COORDINATOR', [`pid ${pid} has hung up`]);
        for (const settle of this.#waiting.values()) settle({ id: null, error: { code, message } });
        resolve();
      });
    });
  }

  /** Rejects with the coordinator's error and its code. */
  ask<Command extends ControlCommand>(
    command: Command,
    argument?: ControlCommands[Command]['argument'],
  ): Promise<ControlCommands[Command]['result']> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, (answer) => {
        if ('error' in answer) reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
        else resolve(answer.result as ControlCommands[Command]['result']);
      });
      this.#socket.write(`${JSON.stringify({ id, command, argument })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(answer: ControlAnswer): void {
    if (answer.id === null) return;
    this.#waiting.get(answer.id)?.(answer);
    this.#waiting.delete(answer.id);
  }
}

/** Also where nobody listens: connecting says so. */
function isOwn(address: string): boolean {
  try {
    return isOwnSocket(address);
  } catch {
    return true;
  }
}

/** Texts go to a terminal: a process's name, an error of somebody's worker. undefined: no answer of a coordinator. */
function parseAnswer(line: string): ControlAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(line, (_key, value) =>
      typeof value === 'string' ? printable(value, MAX_ANSWER_BYTES) : value,
    );
    return typeof answer === 'object' && answer !== null && 'id' in answer ? (answer as ControlAnswer) : undefined;
  } catch {
    return undefined;
  }
}
