export const STOP_REASONS = [
  'signal',
  'reload',
  'scale',
  'shutdown',
  'disconnect',
  'recycle',
  'coordinator-died',
] as const;

/** Why a worker stops. */
export type StopReason = (typeof STOP_REASONS)[number];
