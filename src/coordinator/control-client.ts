import { connect, type Socket } from 'node:net';
import { ForktraceError } from '../errors.js';
import type { ControlAnswer, ControlCommand, ControlCommands } from './control-protocol.js';
import { LineSplitter } from './line-splitter.js';
import { controlAddress } from './run-directory.js';

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
    const socket = connect(controlAddress(pid, directory));
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
      for (const line of whole) this.#hear(JSON.parse(line));
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
