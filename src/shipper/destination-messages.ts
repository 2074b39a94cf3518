/**
 * What a writer tells whoever ships its journal: the destination with all that the journal must not hold,
 * headers and keys. It goes over a socket in the journal's directory, which is this user's alone, and stays
 * in the shipper's memory. A writer stays connected, and tells it again to the shipper that follows. It says
 * its id, too: as long as it is connected, it lives. A shipper that has nothing to do says that it sleeps;
 * the next time that a writer looks, and has written something, it wakes it.
 *
 * @module
 */
import { chmodSync, closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ResolvedExport } from '../config/resolved.js';
import { strangerIn } from '../process/private-directory.js';
import { untraced } from '../untraced.js';
import type { Connections } from './connected-writers.js';

const SOCKET = /^shipper-\d+-\d+\.sock$/;
/** Of a socket's path on macOS (unix(4)). */
const MAX_PATH_BYTES = 103;
/** Certificates are some KiB. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
const LOOK_MS = 1000;

/**
 * What is said over the socket, one JSON object per line. Unknown types are those of a newer version, and
 * ignored.
 */
interface DestinationMessage {
  type: 'destination';
  export: ResolvedExport;
  /**
   * When the writer has come to know it, in milliseconds since the epoch: what was known last is what holds.
   */
  at: number;
}

interface WriterMessage {
  type: 'writer';
  id: string;
  /** It answers {@link ASLEEP}. */
  wakes?: boolean | undefined;
}

/** Something has been written since the shipper has said that it sleeps. */
interface WrittenMessage {
  type: 'written';
}

/** What the shipper says: nobody looks until the writer says that it has written. */
const ASLEEP = '{"type":"asleep"}\n';

const WRITER_ID = /^[0-9a-f]{32}$/;

let sockets = 0;

/** How many connections to the shipper of a directory this process has. */
const connected = new Map<string, number>();

/** Whether a writer of this process is connected to the shipper of `dir`, which lives then. */
export function isConnected(dir: string): boolean {
  return (connected.get(dir) ?? 0) > 0;
}

/**
 * Receives what every writer tells; for the holder of the directory's lock. Where the directory can hold no
 * socket, the shipper knows the destination of its starter alone.
 *
 * @returns ends it
 */
export function receiveDestinations(
  dir: string,
  hear: (target: ResolvedExport, at: number) => void,
  connections?: Connections,
): () => void {
  if (process.platform === 'win32') return () => {};
  const server: Server = createServer((socket) => {
    let text = '';
    let writerId: string | undefined;
    connections?.opened();
    socket.unref();
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_MESSAGE_BYTES) return void socket.destroy();
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
        const message = parseMessage(text.slice(0, end));
        text = text.slice(end + 1);
        if (message?.type === 'destination') hear(message.export, message.at);
        else if (message?.type === 'written') {
          if (writerId !== undefined) connections?.written(writerId);
        } else if (message && writerId === undefined) {
          writerId = message.id;
          connections?.named(writerId, message.wakes ? () => socket.write(ASLEEP) : undefined);
        }
      }
    });
    open.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      connections?.closed(writerId);
    });
  });
  const open = new Set<Socket>();
  removeDeadSockets(dir);
  const path = reachable(dir, `shipper-${process.pid}-${++sockets}.sock`);
  if (!path) return () => {};
  server.on('error', () => {});
  server.listen(path.name, () => {
    try {
      chmodSync(path.name, 0o600);
    } catch {
      // The directory lets nobody else in anyway.
    }
  });
  server.unref();
  let isClosed = false;
  return () => {
    if (isClosed) return;
    isClosed = true;
    for (const socket of open) socket.destroy();
    server.close(path.release);
  };
}

/**
 * Says `target` to the shipper of the directory, and to every one that follows it.
 *
 * @param writerId of the writer whose destination it is
 * @param hasUnshipped whether that writer has written what has not been shipped
 * @returns says another one, or with undefined nothing any more
 */
export function sendDestination(
  dir: string,
  target: ResolvedExport | undefined,
  writerId?: string,
  hasUnshipped?: () => boolean,
): (next: ResolvedExport | undefined) => void {
  let message = target;
  let at = Date.now();
  const connections = new Map<string, Socket>();
  /** Those of shippers that sleep. */
  const asleep = new Set<Socket>();
  const look = () => {
    if (connections.size === 0) for (const name of socketsIn(dir)) meet(name);
    if (asleep.size === 0 || !hasUnshipped?.()) return;
    for (const socket of asleep) socket.write(`${JSON.stringify({ type: 'written' } satisfies WrittenMessage)}\n`);
    asleep.clear();
  };
  const meet = (name: string) => {
    const path = reachable(dir, name);
    if (!path) return;
    const socket = untraced(() => connect(path.name));
    connections.set(name, socket);
    socket.unref();
    // Bound and not listening yet, or left by one that was killed: the next look tells.
    socket.once('error', () => {});
    let isOpen = false;
    socket.once('connect', () => {
      isOpen = true;
      count(dir, 1);
    });
    socket.once('close', () => {
      path.release();
      connections.delete(name);
      asleep.delete(socket);
      if (isOpen) count(dir, -1);
    });
    // Whatever else a newer version says.
    if (hasUnshipped) socket.setEncoding('utf8').on('data', (said: unknown) => said === ASLEEP && asleep.add(socket));
    // It is sent when the socket is connected.
    if (writerId !== undefined)
      socket.write(
        `${JSON.stringify({ type: 'writer', id: writerId, wakes: hasUnshipped !== undefined } satisfies WriterMessage)}\n`,
      );
    tell(socket);
  };
  const tell = (socket: Socket) => {
    if (message)
      socket.write(`${JSON.stringify({ type: 'destination', export: message, at } satisfies DestinationMessage)}\n`);
  };
  const timer = process.platform === 'win32' ? undefined : setInterval(look, LOOK_MS).unref();
  if (timer) look();
  return (next) => {
    message = next;
    at = Date.now();
    if (next) for (const socket of connections.values()) tell(socket);
    else {
      clearInterval(timer);
      // What has been written is sent before the end.
      for (const socket of connections.values()) socket.end();
    }
  };
}

function count(dir: string, change: 1 | -1): void {
  const now = (connected.get(dir) ?? 0) + change;
  if (now > 0) connected.set(dir, now);
  else connected.delete(dir);
}

/** For the holder of the directory's lock, who is alone there. */
export function removeDeadSockets(dir: string): void {
  for (const name of socketsIn(dir)) remove(join(dir, name));
}

function socketsIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => SOCKET.test(name));
  } catch {
    return [];
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Somebody else's business, then.
  }
}

/**
 * A name for a socket in this user's own directory: on Linux by the directory's descriptor, so that it is
 * short enough for every directory, and that of the directory that was looked at, whatever is put in its
 * place.
 */
function reachable(dir: string, name: string): { name: string; release: () => void } | undefined {
  try {
    if (process.platform !== 'linux') {
      const path = join(dir, name);
      const isFit = Buffer.byteLength(path) <= MAX_PATH_BYTES && strangerIn(lstatSync(dir)) === undefined;
      return isFit ? { name: path, release() {} } : undefined;
    }
    const fd = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    if (strangerIn(fstatSync(fd)) === undefined) {
      return { name: `/proc/self/fd/${fd}/${name}`, release: () => closeSync(fd) };
    }
    closeSync(fd);
    return undefined;
  } catch {
    return undefined;
  }
}

/** undefined: nothing that this version understands. */
function parseMessage(line: string): DestinationMessage | WriterMessage | WrittenMessage | undefined {
  try {
    const message: Partial<DestinationMessage> | Partial<WriterMessage> | WrittenMessage = JSON.parse(line);
    if (message.type === 'writer')
      return typeof message.id === 'string' && WRITER_ID.test(message.id)
        ? { type: 'writer', id: message.id, wakes: message.wakes === true }
        : undefined;
    if (message.type === 'written') return { type: 'written' };
    if (message.type !== 'destination') return undefined;
    const { export: target, at } = message;
    return isSound(target) && typeof at === 'number' ? { type: 'destination', export: target, at } : undefined;
  } catch {
    return undefined;
  }
}

const isSound = (target: ResolvedExport | undefined): target is ResolvedExport =>
  typeof target === 'object' &&
  target !== null &&
  typeof target.to === 'string' &&
  ['otlp-grpc', 'otlp-http', 'console', 'none', 'viewer'].includes(target.to) &&
  (target.url === undefined || typeof target.url === 'string') &&
  isRecord(target.headers) &&
  isRecord(target.tls) &&
  (target.compression === 'gzip' || target.compression === 'none') &&
  Number.isFinite(target.timeoutMs) &&
  (target.maxRequestBytes === undefined || Number.isSafeInteger(target.maxRequestBytes)) &&
  (target.gatherMs === undefined || Number.isSafeInteger(target.gatherMs)) &&
  (target.logs === undefined || isSound(target.logs));

const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
