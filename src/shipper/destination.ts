/**
 * Where one writer's spans and log records go, said in the journal: a file `<writer id>.destination` beside
 * the writer's segments. It names the protocol and the URL, without what may be secret. Headers, certificates
 * and the rest reach the shipper in another way (`destination-messages.ts`), and are nowhere on a disk.
 *
 * @module
 */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ResolvedExport } from '../config/resolved.js';
import type { ExportDestination } from '../config/types.js';
import { isStderrFile, type StderrFile } from '../forensics/stderr-file.js';
import { REFUSED } from '../journal/refused.js';
import { replacePrivate } from '../process/private-file.js';
import { endpointOf } from './endpoint-url.js';
import type { Signal } from './transport.js';

const WRITER_ID = /^[0-9a-f]{32}$/;
const FILE = /^([0-9a-f]{32})\.destination$/;
/** Of the shipper's about a writer, which go with that. */
const FILES = /^([0-9a-f]{32})\.(?:destination|refused)$/;
const DESTINATIONS: readonly string[] = ['otlp-grpc', 'otlp-http', 'console', 'none', 'viewer'];
/** A file of a writer without segments is that of one that is about to make its first. */
const ORPHAN_MS = 60_000;

export interface Destination {
  /** The same for every writer with this protocol and URL, whatever its headers. */
  id: string;
  to: ExportDestination;
  /** Without user, password and query. */
  url: string | undefined;
  /** Nothing can be sent there without what the file does not say. */
  needsLogin: boolean;
  /** Where log records go, if the writer has any. */
  logs?: Destination | undefined;
}

/** What a writer says of itself in the file. */
export interface Said extends Destination {
  /** Where its process manager writes its standard error to. */
  stderr?: StderrFile | undefined;
  /** Of a span that was set aside: the id of the writer that has written it. */
  setAsideOf?: string | undefined;
}

/** Where the log records of a writer go that has said nothing about them: where its spans go. */
export function logsExportOf(target: ResolvedExport): ResolvedExport {
  const ofLogs = (url: string | undefined) => url?.replace(/\/v1\/traces$/, '/v1/logs');
  const { otherwise } = target;
  return (
    target.logs ?? {
      ...target,
      url: ofLogs(target.url),
      ...(otherwise && { otherwise: { ...otherwise, url: ofLogs(otherwise.url)! } }),
    }
  );
}

export function destinationOf(target: ResolvedExport, signal: Signal = 'traces'): Destination {
  const { to } = target;
  const endpoint = endpointOf(target, signal);
  // Each start of the viewer may find another port: the newest is meant.
  const url = to === 'viewer' ? undefined : endpoint?.name;
  const needsLogin =
    endpoint?.login !== undefined ||
    /\?/.test(endpoint?.path ?? '') ||
    Object.keys(target.headers).length > 0 ||
    target.headersFrom !== undefined ||
    target.tls.key !== undefined ||
    target.tls.ca !== undefined;
  return { id: idOf(to, url), to, url, needsLogin, ...(target.logs && { logs: destinationOf(target.logs, 'logs') }) };
}

const idOf = (to: string, url: string | undefined) => `${to} ${url ?? ''}`;

/** The file of a writer. */
export const destinationFile = (dir: string, writerId: string): string => join(dir, `${writerId}.destination`);

/** @throws what the file system says */
export function writeDestination(dir: string, writerId: string, said: Said): void {
  const path = destinationFile(dir, writerId);
  replacePrivate(path, `${JSON.stringify(said)}\n`);
}

/** undefined: the writer has said nothing that can be read. */
export function readDestination(dir: string, writerId: string): Said | undefined {
  try {
    const said: Partial<Said> = JSON.parse(readFileSync(destinationFile(dir, writerId), 'utf8'));
    const destination = parse(said);
    const { stderr, setAsideOf } = said;
    return (
      destination && {
        ...destination,
        ...(isStderrFile(stderr) && { stderr }),
        ...(typeof setAsideOf === 'string' && WRITER_ID.test(setAsideOf) && { setAsideOf }),
      }
    );
  } catch {
    return undefined;
  }
}

function parse({ to, url, needsLogin, logs }: Partial<Destination>): Destination | undefined {
  if (to === undefined || !DESTINATIONS.includes(to) || (url !== undefined && typeof url !== 'string'))
    return undefined;
  return { id: idOf(to, url), to, url, needsLogin: needsLogin === true, ...(logs && { logs: parse(logs) }) };
}

/** Of all writers, those that have no segment yet, too. Never throws. */
export function everythingSaid(dir: string): Said[] {
  try {
    return readdirSync(dir).flatMap((name) => readDestination(dir, FILE.exec(name)?.[1] ?? '') ?? []);
  } catch {
    return [];
  }
}

/** Spans that one of these writers has written, and that are set aside. Never throws. */
export function countSetAside(dir: string, isWriter: (id: string) => boolean): number {
  return everythingSaid(dir).filter(({ setAsideOf }) => setAsideOf !== undefined && isWriter(setAsideOf)).length;
}

/** Deletes what writers have said so long ago that have no files any more. Never throws. */
export function removeDestinations(dir: string, hasFiles: (writerId: string) => boolean, ageMs = ORPHAN_MS): void {
  try {
    for (const name of readdirSync(dir)) {
      const writerId = FILES.exec(name)?.[1];
      if (writerId === undefined || hasFiles(writerId)) continue;
      const path = join(dir, name);
      if (Date.now() - statSync(path).mtimeMs > ageMs) rmSync(path, { force: true });
    }
  } catch {
    // The next look finds them.
  }
}

export function removeDestination(dir: string, writerId: string): void {
  try {
    rmSync(destinationFile(dir, writerId), { force: true });
    rmSync(join(dir, `${writerId}${REFUSED}`), { force: true });
  } catch {
    // A directory that cannot be written: nothing can be done, and nothing depends on it.
  }
}
