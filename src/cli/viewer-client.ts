import { ForktraceError } from '../errors.js';

const ANSWERS_WITHIN_MS = 10_000;

/** Asks a running viewer's API. */
export class ViewerClient {
  readonly #url: string;
  readonly #token: string | undefined;

  /** @param url the page's address, with the prefix of a proxy if there is one */
  constructor(url: string, token: string | undefined) {
    this.#url = url.replace(/\/$/, '');
    this.#token = token;
  }

  /**
   * @param path below `/api/`
   * @returns undefined where there is no such thing
   * @throws ForktraceError with code FORKTRACE_NO_VIEWER
   */
  async get<Answer>(path: string): Promise<Answer | undefined> {
    let reason: string;
    try {
      const response = await fetch(`${this.#url}/api/${path}`, {
        headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
        signal: AbortSignal.timeout(ANSWERS_WITHIN_MS),
      });
      const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
      if (response.status === 404 && isJson) return undefined;
      if (response.ok && isJson) return (await response.json()) as Answer;
      reason = `it answers ${response.status}${isJson ? '' : ', and no JSON'}`;
    } catch (error) {
      const { message, cause } = error as Error;
      reason = cause instanceof Error ? cause.message || message : message;
    }
    throw new ForktraceError('FORKTRACE_NO_VIEWER', [this.#url, reason]);
  }
}
