/**
 * The part of the inspector's protocol that is needed: connects to a process's inspector, calls methods,
 * disconnects. https://chromedevtools.github.io/devtools-protocol/v8/
 *
 * @module
 */
import { WebSocket } from 'ws';

/** Larger than the profile of a minute. A longer answer is not from a process of ours. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

interface Message {
  id?: number;
  result?: Record<string, unknown>;
  error?: { message?: string };
}

interface Evaluated {
  result?: { value?: unknown };
  exceptionDetails?: { text?: string; exception?: { description?: string } };
}

interface Call {
  resolve(result: Record<string, unknown>): void;
  reject(error: Error): void;
}

/** A connection to the inspector of one process. */
export class InspectorSession {
  readonly url: string;
  readonly #socket: WebSocket;
  readonly #calls = new Map<number, Call>();
  #lastId = 0;
  #failure: Error | undefined;

  /**
   * @param url the address that the process prints: `ws://127.0.0.1:<port>/<uuid>`
   * @param signal when it aborts, the connection is closed and all calls reject
   */
  static connect(url: string, signal: AbortSignal): Promise<InspectorSession> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { maxPayload: MAX_ANSWER_BYTES, perMessageDeflate: false });
      const session = new InspectorSession(url, socket);
      const abort = () => session.#fail(new Error('the inspector did not answer in time'));
      const failed = () => {
        signal.removeEventListener('abort', abort);
        reject(session.#failure ?? new Error('the inspector closed the connection'));
      };
      signal.addEventListener('abort', abort, { once: true });
      socket.once('open', () => resolve(session));
      socket.once('error', (error) => session.#fail(error));
      socket.once('close', () => {
        session.#fail(new Error('the inspector closed the connection'));
        failed();
      });
      if (signal.aborted) abort();
    });
  }

  private constructor(url: string, socket: WebSocket) {
    this.url = url;
    this.#socket = socket;
    socket.on('message', (data) => this.#hear(String(data)));
  }

  /** Calls a method. Rejects with the inspector's error, or when the connection ends. */
  call(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      const id = ++this.#lastId;
      this.#calls.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  /** @returns the value of the expression, passed as JSON */
  async evaluate(expression: string): Promise<unknown> {
    const answer: Evaluated = await this.call('Runtime.evaluate', { expression, returnByValue: true });
    const details = answer.exceptionDetails;
    if (details) throw new Error(details.exception?.description ?? details.text ?? 'the expression threw');
    return answer.result?.value;
  }

  close(): void {
    this.#fail(new Error('the connection to the inspector has been closed'));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#calls.values()) reject(this.#failure);
    this.#calls.clear();
    this.#socket.terminate();
  }

  #hear(text: string): void {
    const { id, result, error } = parse(text) ?? {};
    const call = this.#calls.get(id!);
    if (call === undefined) return;
    this.#calls.delete(id!);
    if (error) call.reject(new Error(error.message ?? 'the inspector refused'));
    else call.resolve(typeof result === 'object' && result !== null ? result : {});
  }
}

/** Evaluates one expression on a connection of its own. */
export async function evaluate(url: string, expression: string, signal: AbortSignal): Promise<unknown> {
  const session = await InspectorSession.connect(url, signal);
  try {
    return await session.evaluate(expression);
  } finally {
    session.close();
  }
}

function parse(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}
