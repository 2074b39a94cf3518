import { ACCEPTED, type Transport } from './transport.js';

export function consoleTransport(): Transport {
  return { send: async () => ACCEPTED, close() {} };
}
