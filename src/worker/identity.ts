/**
 * The identity of this process among its siblings. Variables that a parent has set for itself must not become
 * this process's identity.
 *
 * @module
 */
import cluster from 'node:cluster';
import type { WorkerIdentity } from '../config/types.js';
import { randomUuidAtStart } from '../journal/random-bytes.js';
import { isClusterWorker } from '../process/cluster-worker.js';
import { INCARNATION_VARIABLE, SLOT_VARIABLE } from '../process/slot-variables.js';

/**
 * The pid of the process that pm2's variables belong to. A child that a pm2 worker forks inherits them, but
 * is not in the slot.
 */
const OWNER_VARIABLE = 'FORKTRACE_IDENTITY_PID';

let identity: WorkerIdentity | undefined;

/** This process's identity. It is read from the environment once. */
export function workerIdentity(): WorkerIdentity {
  identity ??= Object.freeze(takeIdentity(process.env));
  return identity;
}

/** Reads the identity from `env`, and removes variables that this process's own children must not inherit. */
export function takeIdentity(env: NodeJS.ProcessEnv): WorkerIdentity {
  const instanceId = randomUuidAtStart();
  const slot = wholeNumber(env[SLOT_VARIABLE]);
  const incarnation = wholeNumber(env[INCARNATION_VARIABLE]) ?? 0;
  delete env[SLOT_VARIABLE];
  delete env[INCARNATION_VARIABLE];
  if (slot !== undefined && isClusterWorker()) {
    return { slot, incarnation, workerId: cluster.worker?.id, manager: 'cluster', instanceId };
  }

  const owner = env[OWNER_VARIABLE];
  const pm2Id = wholeNumber(env.pm_id);
  if (pm2Id !== undefined && (owner === undefined || owner === String(process.pid))) {
    env[OWNER_VARIABLE] = String(process.pid);
    // The ecosystem option instance_var renames NODE_APP_INSTANCE.
    const instance = wholeNumber(env[env.instance_var ?? 'NODE_APP_INSTANCE']);
    const restarts = wholeNumber(env.restart_time) ?? 0;
    return { slot: instance ?? pm2Id, incarnation: restarts, workerId: pm2Id, manager: 'pm2', instanceId };
  }
  if (isClusterWorker()) {
    return { slot: undefined, incarnation: 0, workerId: cluster.worker?.id, manager: 'cluster', instanceId };
  }
  return { slot: undefined, incarnation: 0, workerId: undefined, manager: 'none', instanceId };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}
