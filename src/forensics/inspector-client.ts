/**
 * The least of the inspector's protocol that a peek needs: connect to a process's inspector, evaluate, disconnect.
 * https://chromedevtools.github.io/devtools-protocol/v8/Runtime/#method-evaluate
 *
 * @module
 */
import { WebSocket } from 'ws';

/** More than the longest snapshot in its JSON form. What is longer comes from something that is not ours. */
const MAX_ANSWER_BYTES = 1024 * 1024;

interface Answer {
  id?: number;
  result?: { result?: { value?: unknown }; exceptionDetails?: { text?: string; exception?: { description?: string } } };
  error?: { message?: string };
}

/**
 * Evaluates an expression in the process behind an inspector's address.
 *
 * @param url as the process prints it: `ws://127.0.0.1:<port>/<uuid>`
 * @param signal aborts: the connection is closed
 * @returns the value, by way of JSON
 * @throws Error when the inspector cannot be reached, does not answer before the signal aborts, or the expression throws
 */
export function evaluate(url: string, expression: string, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { maxPayload: MAX_ANSWER_BYTES, perMessageDeflate: false });
    const finish = (act: () => void) => {
      signal.removeEventListener('abort', abort);
      socket.terminate();
      act();
    };
    const abort = () => finish(() => reject(new Error('the inspector did not answer in time')));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('open', () => {
      const params = { expression, returnByValue: true };
      socket.send(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }));
    });
    socket.on('message', (data) => {
      const answer = parse(String(data));
      if (answer?.id !== 1) return;
      const failure = answer.error?.message ?? thrown(answer);
      if (failure === undefined) finish(() => resolve(answer.result?.result?.value));
      else finish(() => reject(new Error(failure)));
    });
    socket.once('error', (error) => finish(() => reject(error)));
    socket.once('close', () => finish(() => reject(new Error('the inspector closed the connection'))));
    if (signal.aborted) abort();
  });
}

function parse(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Answer) : undefined;
  } catch {
    return undefined;
  }
}

function thrown({ result }: Answer): string | undefined {
  const details = result?.exceptionDetails;
  return details && (details.exception?.description ?? details.text ?? 'the expression threw');
}
