import { Environment, resolveHttp } from '../config/index.js';
import type { ResolvedHttp } from '../config/resolved.js';
import type { HttpTracingConfig } from '../config/types.js';

/** A server that was traced by hand. */
interface Follower {
  follow(): void;
}

let workerOptions: HttpTracingConfig = {};
const followers = new Set<WeakRef<Follower>>();

/**
 * Sets the `http` options that tracing was started with in this process: servers that are given to
 * `traceServer`, before or after, have them, too. What says that a caller is not to be trusted must hold for
 * every server.
 */
export function setWorkerHttp(options: HttpTracingConfig): void {
  workerOptions = options;
  for (const reference of followers) {
    const follower = reference.deref();
    if (follower === undefined) followers.delete(reference);
    else follower.follow();
  }
}

/** The options of one server, over those of this process's tracing. */
export function serverHttp(options: HttpTracingConfig): ResolvedHttp {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  return resolveHttp({ ...workerOptions, ...given }, new Environment(process.env));
}

/** `follower.follow()` is called when {@link serverHttp} may have another result. */
export function followWorkerHttp(follower: Follower): void {
  followers.add(new WeakRef(follower));
}
