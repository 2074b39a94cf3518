// Requests as a shop gets them: many that read, some that buy, a few that fail.

export interface LoadOptions {
  baseUrl: string;
  /** How many requests are sent; Infinity goes on until `signal`. */
  requests: number;
  /** How many clients send requests at once. */
  concurrency: number;
  /** Milliseconds between two requests of one client. */
  pauseMs: number;
  /** Whether some requests kill their worker. */
  crashes: boolean;
  signal: AbortSignal;
}

export interface LoadResult {
  sent: number;
  /** Answers by status; 0 is a connection that broke, as it does when a worker dies. */
  byStatus: Map<number, number>;
}

interface Step {
  method: 'GET' | 'POST';
  path: string;
  body?: object;
}

const get = (path: string): Step => ({ method: 'GET', path });
const buy = (skus: string[], card = 'valid'): Step => ({ method: 'POST', path: '/checkout', body: { skus, card } });

/** One round, which the clients share. */
const round: Step[] = [
  get('/products'),
  get('/products/lamp'),
  buy(['lamp', 'mug']),
  get('/products/clock'),
  get('/products'),
  get('/recommendations'),
  get('/products/mug'),
  buy(['chair'], 'declined'),
  get('/products/sofa'),
  buy(['mug', 'clock', 'chair']),
  get('/report'),
];
/** Number of requests between two that kill their worker. */
const CRASH_EVERY = 50;
/** A connection that node:cluster was handing to a worker when that died is never answered. */
const REQUEST_TIMEOUT_MS = 3000;

export async function driveLoad(options: LoadOptions): Promise<LoadResult> {
  const result: LoadResult = { sent: 0, byStatus: new Map() };
  const client = async () => {
    while (result.sent < options.requests && !options.signal.aborted) {
      const index = result.sent++;
      const crash = options.crashes && index % CRASH_EVERY === CRASH_EVERY - 1;
      const step = crash ? { method: 'POST' as const, path: '/crash' } : round[index % round.length]!;
      const status = await send(options, step);
      result.byStatus.set(status, (result.byStatus.get(status) ?? 0) + 1);
      await pause(options.pauseMs, options.signal);
    }
  };
  await Promise.all(Array.from({ length: options.concurrency }, client));
  return result;
}

async function send({ baseUrl, signal }: LoadOptions, { method, path, body }: Step): Promise<number> {
  // Not AbortSignal.any() with timeout(): on Node 20 the garbage collector may take the timeout, and nothing
  // fires.
  const abort = new AbortController();
  const cancel = () => abort.abort();
  const timer = setTimeout(cancel, REQUEST_TIMEOUT_MS);
  signal.addEventListener('abort', cancel);
  try {
    const response = await fetch(baseUrl + path, {
      method,
      // One connection each, so that every worker gets its share.
      headers: { connection: 'close', ...(body && { 'content-type': 'application/json' }) },
      body: body && JSON.stringify(body),
      signal: abort.signal,
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', cancel);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
