import cluster, { type Worker } from 'node:cluster';

/** What the primary sends with a connection, and what a worker answers: lib/internal/cluster/round_robin_handle.js */
interface ClusterMessage {
  cmd?: string;
  act?: string;
  seq?: number;
  ack?: number;
}

/**
 * Gives a connection that was on its way to a worker that died to another one.
 *
 * node:cluster keeps its end of a connection open until the worker has acknowledged it. When the worker dies before that (it
 * was stopped, blocked, or killed in that moment) nobody answers, so nobody closes: the client waits for ever and the
 * primary leaks a socket. Here the acknowledgement is given in the dead worker's name, as a refusal, upon which
 * node:cluster distributes the connection anew.
 */
export function redeliverConnections(worker: Worker): void {
  const child = worker.process;
  const onTheWay = new Map<number, { close?(): void }>();

  const send = child.send;
  child.send = function sendWatched(this: typeof child, ...args: unknown[]): boolean {
    const [message, connection] = args as [ClusterMessage | undefined, { close?(): void } | undefined];
    if (message?.cmd === 'NODE_CLUSTER' && message.act === 'newconn' && message.seq !== undefined && connection) {
      onTheWay.set(message.seq, connection);
    }
    return Reflect.apply(send, this, args);
  };
  child.on('internalMessage', (message: ClusterMessage | undefined) => {
    if (message?.ack !== undefined) onTheWay.delete(message.ack);
  });

  const redeliver = () => {
    const dead = child.exitCode !== null || child.signalCode !== null;
    if (!dead || child.connected) return;
    // By then node:cluster has taken the worker off its list.
    setImmediate(() => {
      const others = Object.values(cluster.workers ?? {}).some((other) => other !== worker && other?.isConnected());
      for (const [seq, connection] of onTheWay) {
        if (others) child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: seq, accepted: false });
        else connection.close?.();
      }
      onTheWay.clear();
    });
  };
  child.once('exit', redeliver);
  child.once('disconnect', redeliver);
}
