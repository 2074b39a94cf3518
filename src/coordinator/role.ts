import cluster from 'node:cluster';
import { isMainThread } from 'node:worker_threads';

/**
 * The role of this process. It is the coordinator only as a cluster primary without a supervisor. It serves
 * under pm2 (`pm_id` is set in cluster and fork mode), in a worker that any program has forked, and in a
 * worker thread.
 */
export function processRole(env: NodeJS.ProcessEnv = process.env): 'coordinator' | 'worker' {
  return cluster.isPrimary && isMainThread && env.pm_id === undefined ? 'coordinator' : 'worker';
}
