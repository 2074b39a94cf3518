import { constants } from 'node:os';

/** The system's number of a signal. Undefined for a name that this system does not have. */
export function signalNumber(name: string): number | undefined {
  return constants.signals[name as NodeJS.Signals];
}

/** The name of a signal number: the inverse of {@link signalNumber}. */
export function signalName(number: number): NodeJS.Signals | undefined {
  const names = Object.keys(constants.signals) as NodeJS.Signals[];
  return names.find((name) => constants.signals[name] === number);
}
