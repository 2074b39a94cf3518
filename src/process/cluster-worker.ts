import cluster from 'node:cluster';

/**
 * Whether `node:cluster` has forked this process. One without a channel to its parent it has not: the module
 * is not loaded for that.
 */
export function isClusterWorker(): boolean {
  return process.send !== undefined && cluster.isWorker;
}
