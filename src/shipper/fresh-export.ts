/**
 * Headers and certificates that change while a process runs: read and asked for anew.
 *
 * @module
 */
import { promises } from 'node:fs';
import { headerFault, parseHeaders } from '../config/headers.js';
import type { ResolvedExport } from '../config/resolved.js';

const EVERY_MS = 10_000;
/** A function that says nothing for so long is asked again the next time. */
const ANSWER_MS = 5000;

/** Whether there is anything that may change. */
export const mayChange = ({ headersFrom, tlsFiles, logs }: ResolvedExport): boolean =>
  (logs !== undefined && mayChange(logs)) ||
  headersFrom?.file !== undefined ||
  headersFrom?.call !== undefined ||
  Object.values(tlsFiles ?? {}).some((file) => file !== undefined);

/** Whether its headers are only known to the process that has the function. */
export const isAwaited = ({ headersFrom }: ResolvedExport): boolean =>
  headersFrom !== undefined && headersFrom.file === undefined && headersFrom.call === undefined;

/**
 * Tells `heard` what is to be exported with: at once, unless a function has to be asked first, and after each
 * change. What cannot be read at the moment stays as it was. Holds no process open.
 *
 * @returns ends it
 */
export function watchExport(target: ResolvedExport, heard: (fresh: ResolvedExport) => void): () => void {
  let current = target.headersFrom?.call ? undefined : target;
  if (current) heard(current);
  if (!mayChange(target)) return () => {};
  let ended = false;
  const look = async () => {
    const fresh = await freshExport(current ?? target);
    if (ended || !fresh || (current && JSON.stringify(fresh) === JSON.stringify(current))) return;
    current = fresh;
    heard(fresh);
  };
  const timer = setInterval(() => void look(), EVERY_MS).unref();
  if (!current) void look();
  return () => {
    ended = true;
    clearInterval(timer);
  };
}

/** undefined: the function has said nothing that can be sent. Never rejects. */
async function freshExport(target: ResolvedExport): Promise<ResolvedExport | undefined> {
  const { headersFrom, tlsFiles = {}, tls } = target;
  let headers: ResolvedExport['headers'] | undefined = target.headers;
  if (headersFrom?.file !== undefined) headers = (await fromFile(headersFrom.file)) ?? undefined;
  else if (headersFrom?.call) headers = await fromFunction(headersFrom.call);
  if (headersFrom && headers && headers !== target.headers) headers = { ...headersFrom.fixed, ...headers };
  if (!headers && headersFrom?.call) return undefined;
  const pem = async (name: 'ca' | 'cert' | 'key') => {
    const file = tlsFiles[name];
    const text = file === undefined ? undefined : await promises.readFile(file, 'utf8').catch(() => undefined);
    // A file that is just being replaced is not there, or not whole.
    return text !== undefined && /-----END [^-]+-----\s*$/.test(text) ? text : tls[name];
  };
  return {
    ...target,
    headers: headers ?? target.headers,
    logs: target.logs && ((await freshExport(target.logs)) ?? target.logs),
    tls: { ...tls, ca: await pem('ca'), cert: await pem('cert'), key: await pem('key') },
  };
}

async function fromFile(path: string): Promise<Record<string, string> | undefined> {
  try {
    return parseHeaders(await promises.readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

async function fromFunction(
  call: () => Record<string, string> | Promise<Record<string, string>>,
): Promise<Record<string, string> | undefined> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), ANSWER_MS).unref();
    });
    const headers = await Promise.race([call(), late]);
    if (typeof headers !== 'object' || headers === null) return undefined;
    const sendable = Object.entries(headers).every(([name, value]) => headerFault(name, value) === undefined);
    return sendable ? { ...headers } : undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
