import { constants } from 'node:os';

/** What the system calls a signal by; undefined for a name that this system does not have. */
export function signalNumber(name: string): number | undefined {
  return constants.signals[name as NodeJS.Signals];
}

/** The inverse of {@link signalNumber}. */
export function signalName(number: number): NodeJS.Signals | undefined {
  const names = Object.keys(constants.signals) as NodeJS.Signals[];
  return names.find((name) => constants.signals[name] === number);
}
