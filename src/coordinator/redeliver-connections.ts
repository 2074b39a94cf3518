import type { ChildProcess } from 'node:child_process';
import cluster, { type Worker } from 'node:cluster';

/**
 * The messages between node:cluster's primary and workers: lib/internal/cluster/primary.js and
 * round_robin_handle.js.
 */
interface ClusterMessage {
  cmd?: string;
  act?: string;
  seq?: number;
  ack?: number;
  /** Identifies the listening socket. */
  key?: string;
  errno?: number | null;
}

interface Connection {
  close?(): void;
}

/** The sockets that a worker listens on. */
const listening = new WeakMap<Worker, Set<string>>();

/**
 * Gives a connection that was on its way to a dying worker to another worker.
 *
 * node:cluster keeps its end of a connection open until the worker has acknowledged it. When the worker dies
 * before that (because it was stopped, blocked or killed in that moment), nobody acknowledges and nobody
 * closes: the client waits for ever, and the primary leaks a socket. Here a refusal is sent in the dead
 * worker's name, so that node:cluster gives the connection to another worker. When no worker listens any
 * more, the connection is closed.
 */
export function redeliverConnections(worker: Worker): void {
  const child = worker.process;
  const onTheWay = new Map<number, { key: string; connection: Connection }>();
  const keys = new Set<string>();
  listening.set(worker, keys);

  const send = child.send;
  child.send = function sendWatched(this: typeof child, ...args: unknown[]): boolean {
    const [message, connection] = args as [ClusterMessage | undefined, Connection | undefined];
    if (message?.cmd === 'NODE_CLUSTER' && message.key !== undefined) {
      if (message.act === 'newconn' && message.seq !== undefined && connection) {
        onTheWay.set(message.seq, { key: message.key, connection });
      } else if (message.ack !== undefined && !message.errno) {
        keys.add(message.key);
      }
    }
    return Reflect.apply(send, this, args);
  };
  child.on('internalMessage', (message: ClusterMessage | undefined) => {
    if (message?.ack !== undefined) onTheWay.delete(message.ack);
    if (message?.act === 'close' && message.key !== undefined) keys.delete(message.key);
  });

  const redeliver = () => {
    const dead = child.exitCode !== null || child.signalCode !== null;
    if (!dead || child.connected) return;
    keys.clear();
    // By then node:cluster has removed the worker from its list.
    setImmediate(() => {
      for (const [seq, { key, connection }] of onTheWay) {
        if (othersListen(worker, key))
          child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: seq, accepted: false });
        else connection.close?.();
      }
      onTheWay.clear();
    });
  };
  child.once('exit', redeliver);
  child.once('disconnect', redeliver);
  tellEveryDisconnect(child);
}

/**
 * Emits `'disconnect'` where Node.js does not.
 *
 * A child that waits for the receipt of a handle delays its `'disconnect'` until that receipt (`_handleQueue`
 * in lib/internal/child_process.js). A dead process closes its channel, and the receipt never comes. When
 * `'exit'` came first, node:cluster keeps counting the worker among those that take connections, and each
 * connection that it sends there is lost.
 */
function tellEveryDisconnect(child: ChildProcess): void {
  let told = false;
  child.once('disconnect', () => {
    told = true;
  });
  const disconnect = child.disconnect;
  child.disconnect = function disconnectWatched(this: typeof child): void {
    Reflect.apply(disconnect, this, []);
    // Node.js also emits it in the next tick, and removes the channel when it has closed it.
    process.nextTick(() => {
      if (!told && !child.channel) child.emit('disconnect');
    });
  };
}

function othersListen(worker: Worker, key: string): boolean {
  return Object.values(cluster.workers ?? {}).some(
    (other) => other !== undefined && other !== worker && other.isConnected() && listening.get(other)?.has(key),
  );
}
