/**
 * What a port speaks, found out by asking: an export that gets no OTLP answer says little about the other
 * side.
 *
 * @module
 */
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { Endpoint } from './endpoint-url.js';

export interface Spoken {
  tls: boolean;
  /** undefined: something else, or nothing at all. */
  http: '1.1' | '2' | undefined;
}

const TIMEOUT_MS = 1000;
/**
 * The connection preface of HTTP/2 (RFC 9113, 3.4), with an empty SETTINGS frame. HTTP/1 servers answer it
 * with an error.
 */
const PREFACE = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('000000040000000000', 'hex'),
]);

/** undefined: nobody listens. Never rejects; takes up to 2 seconds. */
export async function probe(endpoint: Endpoint): Promise<Spoken | undefined> {
  const { host, port, socketPath } = endpoint;
  const where = socketPath === undefined ? { host, port } : { path: socketPath };
  // First as it is configured: that needs one connection more only where the guess was wrong.
  const encrypted = () =>
    asked(
      tlsConnect({
        ...where,
        servername: /^[\d.]+$|:/.test(host) ? '' : host,
        // Whether it is the right server is not the question.
        rejectUnauthorized: false,
        ALPNProtocols: ['h2', 'http/1.1'],
      }),
      'secureConnect',
    );
  const plain = () => asked(connect(where), 'connect');
  for (const tls of endpoint.secure ? [true, false] : [false, true]) {
    const { reached, http } = await (tls ? encrypted() : plain());
    if (!reached && !tls) return undefined;
    if (http !== undefined) return { tls, http };
  }
  return { tls: false, http: undefined };
}

function asked(
  socket: Socket,
  connected: 'connect' | 'secureConnect',
): Promise<{ reached: boolean; http: Spoken['http'] }> {
  return new Promise((resolve) => {
    let reached = false;
    const settle = (http: Spoken['http']) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ reached, http });
    };
    const timer = setTimeout(() => settle(undefined), TIMEOUT_MS);
    timer.unref();
    socket.unref();
    socket.once(connected, () => {
      reached = true;
      socket.write(PREFACE);
    });
    socket.once('data', (bytes: Buffer) => {
      if (bytes.subarray(0, 5).toString('latin1') === 'HTTP/') settle('1.1');
      // A SETTINGS frame comes first from an HTTP/2 server: type 4, on stream 0.
      else settle(bytes.length >= 9 && bytes[3] === 4 && bytes.readUInt32BE(5) === 0 ? '2' : undefined);
    });
    socket.once('error', () => settle(undefined));
    socket.once('close', () => settle(undefined));
  });
}
