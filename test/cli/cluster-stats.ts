import type { ClusterStats, WorkerView } from '#src/coordinator/handle.js';

/** A worker that is ready and has served nothing yet, in slot 0 unless `changes` say another. */
export function worker(changes: Partial<WorkerView> = {}): WorkerView {
  const slot = changes.slot ?? 0;
  return {
    slot,
    incarnation: 0,
    pid: 100 + slot,
    state: 'ready',
    uptimeMs: 5000,
    restarts: 0,
    restartsLastHour: 0,
    lastExit: undefined,
    address: undefined,
    debugged: false,
    requestsPerSecond: 0,
    failuresPerSecond: 0,
    stats: undefined,
    ...changes,
  };
}

/** A running cluster, of which all workers are ready. */
export function clusterStats(workers: WorkerView[], changes: Partial<ClusterStats> = {}): ClusterStats {
  return {
    phase: 'running',
    serviceName: 'shop',
    pid: 1,
    uptimeMs: 1000,
    size: workers.length,
    ready: workers.length,
    restarts: 0,
    breaker: 'closed',
    workers,
    shipper: undefined,
    viewerUrl: undefined,
    ...changes,
  };
}
