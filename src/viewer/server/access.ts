/**
 * Who may speak to the viewer. On loopback: anything on this machine, but no web page of another origin,
 * which is what the Host and Origin checks are for (DNS rebinding, cross-site requests). Elsewhere: who knows
 * the token.
 *
 * @module
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseHost } from '../../http/host.js';

export interface Access {
  /** The interface listened on. */
  host: string;
  /** Asked of every request when set. */
  token: string | undefined;
}

export interface Refusal {
  status: 401 | 403;
  reason: string;
}

const COOKIE = 'forktrace_viewer_token';

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Why `request` is refused, or undefined. */
export function refuse(request: IncomingMessage, { host, token }: Access): Refusal | undefined {
  const { headers } = request;
  // Who knows the token is let in by whatever name a proxy has for this machine: no other web page knows it.
  if (token !== undefined) {
    if (!knowsToken(request, token)) {
      return { status: 401, reason: 'a token is needed: Authorization: Bearer <token>, or ?token=<token>' };
    }
    return sameSite(request) ? undefined : { status: 403, reason: 'requests from other sites are not taken' };
  }
  const address = parseHost(headers.host ?? '', 'http').address ?? '';
  if (isLoopback(host) && !isLoopback(address)) {
    return { status: 403, reason: `Host ${JSON.stringify(headers.host ?? '')} is not this machine` };
  }
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) {
    return { status: 403, reason: `Origin ${JSON.stringify(headers.origin)} is not the viewer's own` };
  }
  if (!sameSite(request)) return { status: 403, reason: 'requests from other sites are not taken' };
  return undefined;
}

/** By what the browser says of a request; a link from elsewhere may lead here. */
function sameSite({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-site'] !== 'cross-site' || headers['sec-fetch-mode'] === 'navigate';
}

function knowsToken(request: IncomingMessage, token: string): boolean {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  const cookie = new RegExp(`(?:^|; )${COOKIE}=([^;]*)`).exec(request.headers.cookie ?? '')?.[1];
  return [bearer, cookie && safeDecode(cookie), queryToken(request)].some((given) => given && sameToken(given, token));
}

/** The token in the address, as in the link that the viewer prints. */
export function queryToken(request: IncomingMessage): string | undefined {
  const query = (request.url ?? '').split('?')[1];
  return (query && new URLSearchParams(query).get('token')) || undefined;
}

/** Keeps the token of a printed link in the browser, out of its address bar. */
export function tokenCookie(token: string, prefix: string): string {
  return `${COOKIE}=${encodeURIComponent(token)}; Path=${prefix}/; HttpOnly; SameSite=Strict`;
}

/** Compares in a time that does not depend on where two tokens differ. */
export function sameToken(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
