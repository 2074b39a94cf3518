import cluster from 'node:cluster';
import { isMainThread } from 'node:worker_threads';

/**
 * What this process is: it forks only as a cluster primary that nobody supervises. Under pm2 (`pm_id` is set
 * in cluster and fork mode alike), in a worker that anybody forked, and in a worker thread it serves.
 */
export function processRole(env: NodeJS.ProcessEnv = process.env): 'coordinator' | 'worker' {
  return cluster.isPrimary && isMainThread && env.pm_id === undefined ? 'coordinator' : 'worker';
}
