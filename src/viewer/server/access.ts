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
  // Who knows the token is let in by whatever name a proxy has for this machine. Under a name that leads here
  // by DNS rebinding, a web page does not know it, and the browser has no cookie for that name.
  if (token !== undefined) {
    if (!sameSite(request)) return OTHER_SITE;
    if (says(request, token)) return undefined;
    if (!hasCookie(request, token)) {
      return { status: 401, reason: 'a token is needed: Authorization: Bearer <token>, or ?token=<token>' };
    }
    // A browser sends the cookie by itself, also for pages of other ports of this machine.
    return fromOwnPage(request) ? undefined : { status: 403, reason: 'only the own page may use the cookie' };
  }
  const address = parseHost(headers.host ?? '', 'http').address ?? '';
  if (isLoopback(host) && !isLoopback(address)) {
    return { status: 403, reason: `Host ${JSON.stringify(headers.host ?? '')} is not this machine` };
  }
  if (headers.origin !== undefined && headers.origin !== `http://${headers.host}`) {
    return { status: 403, reason: `Origin ${JSON.stringify(headers.origin)} is not the viewer's own` };
  }
  return sameSite(request) ? undefined : OTHER_SITE;
}

const OTHER_SITE: Refusal = { status: 403, reason: 'requests from other sites are not taken' };

/** By what the browser says of a request; a link from elsewhere may lead here. */
function sameSite({ headers }: IncomingMessage): boolean {
  return headers['sec-fetch-site'] !== 'cross-site' || headers['sec-fetch-mode'] === 'navigate';
}

/**
 * By what the browser says of a request, else by its Origin, which must be the name that was asked for: here,
 * or of the proxy in between.
 */
function fromOwnPage({ headers, method }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) {
    const opened = headers['sec-fetch-mode'] === 'navigate' && (method === 'GET' || method === 'HEAD');
    return site === 'same-origin' || site === 'none' || opened;
  }
  if (headers.origin === undefined) return true;
  const names = [headers.host, headers['x-forwarded-host']];
  return URL.canParse(headers.origin) && names.includes(new URL(headers.origin).host);
}

/** Has the token where no browser puts it by itself. */
function says(request: IncomingMessage, token: string): boolean {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
  return [bearer, queryToken(request)].some((given) => given !== undefined && sameToken(given, token));
}

function hasCookie(request: IncomingMessage, token: string): boolean {
  const cookie = new RegExp(`(?:^|; )${COOKIE}=([^;]*)`).exec(request.headers.cookie ?? '')?.[1];
  return cookie !== undefined && sameToken(safeDecode(cookie), token);
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
