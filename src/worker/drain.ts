/**
 * Stops a server without refusing or resetting a request.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2Session } from 'node:http2';
import { Server as NetServer } from 'node:net';

/**
 * Milliseconds that a keep-alive connection may stay idle once draining has begun: at most this, and at most
 * a share of the time to drain.
 */
const LONGEST_IDLE_GRACE_MS = 1000;
const IDLE_GRACE_SHARE = 0.2;
const SWEEP_INTERVAL_MS = 50;

interface ClosableServer extends NetServer {
  closeIdleConnections?(): void;
  closeAllConnections?(): void;
}

/**
 * Tracks a server's HTTP/2 sessions from its start, so that {@link drainServer} can close them with GOAWAY.
 */
export function trackSessions(server: NetServer): Set<Http2Session> {
  const sessions = new Set<Http2Session>();
  server.on('session', (session: Http2Session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  return sessions;
}

/**
 * Drains a server: accepts no new connections, answers requests on open ones with `Connection: close`, and
 * closes those that stay idle. Resolves when the last connection is closed.
 *
 * `http.Server.close` would close idle keep-alive connections at once, and so reset a request that is already
 * on its way on one of them (RFC 9112 section 9.6 asks servers to announce the close first).
 * `net.Server.close` does not.
 *
 * @param drainMs milliseconds to drain; the caller closes a connection that does not end in time
 */
export function drainServer(
  server: ClosableServer,
  sessions: ReadonlySet<Http2Session>,
  drainMs: number,
): Promise<void> {
  if (!server.listening) return Promise.resolve();
  server.prependListener('request', (_request: IncomingMessage | Http2ServerRequest, response: unknown) => {
    // HTTP/2 responses do not have this property.
    if ('shouldKeepAlive' in (response as object)) (response as ServerResponse).shouldKeepAlive = false;
  });
  return new Promise((resolve) => {
    let sweep: NodeJS.Timeout | undefined;
    // After the poll phase: on a busy machine this timer would fire before requests that arrived long ago are
    // read.
    const closeIdle = () => setImmediate(() => server.closeIdleConnections?.());
    const grace = setTimeout(
      () => {
        closeIdle();
        sweep = setInterval(closeIdle, SWEEP_INTERVAL_MS);
      },
      Math.min(LONGEST_IDLE_GRACE_MS, drainMs * IDLE_GRACE_SHARE),
    );
    NetServer.prototype.close.call(server, () => {
      clearTimeout(grace);
      clearInterval(sweep);
      resolve();
    });
    // Sends GOAWAY; then the open streams finish (RFC 9113 section 6.8).
    for (const session of sessions) session.close();
  });
}
