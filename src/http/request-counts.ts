/**
 * Requests of this process, for the worker's heartbeat. Plain integers: they are counted whether or not a
 * span is sampled.
 */
export const requestCounts = { served: 0, inFlight: 0, failed: 0 };
