import type { Instrumentation } from './instrumentation.js';

/** The instrumentations that were found and enabled. */
export interface Automatic {
  readonly instrumentations: readonly Instrumentation[];
  /** Which they are, in one line. */
  readonly description: string;
}

let automatic: Automatic | undefined;

/** What this process has enabled without being told one by one; undefined while it has not looked. */
export function enabledAutomatically(): Automatic | undefined {
  return automatic;
}

export function setEnabledAutomatically(enabled: Automatic): Automatic {
  automatic = enabled;
  return enabled;
}
