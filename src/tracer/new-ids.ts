import { isValidSpanId, isValidTraceId } from '@opentelemetry/api';
import { isPromise, reportFailure } from '../report-failure.js';
import type { IdGenerator } from '../sdk/types.js';
import { randomWord, wordToHex } from './ids.js';

/** From the user's id generator; at random where there is none, or it throws or gives no id. */
export function newTraceId(idGenerator: IdGenerator | undefined): string {
  return generated(idGenerator, 'generateTraceId', isValidTraceId) ?? hex(4);
}

/** As {@link newTraceId}. */
export function newSpanId(idGenerator: IdGenerator | undefined): string {
  return generated(idGenerator, 'generateSpanId', isValidSpanId) ?? hex(2);
}

function generated(
  idGenerator: IdGenerator | undefined,
  method: keyof IdGenerator,
  isValid: (id: string) => boolean,
): string | undefined {
  if (idGenerator === undefined) return undefined;
  try {
    const id = idGenerator[method]();
    if (isValid(id)) return id;
    isPromise(id, 'The id generator rejected');
    throw new TypeError(`${method} gave ${String(id)}`);
  } catch (error) {
    reportFailure('The id generator failed, and a random id was taken', error);
    return undefined;
  }
}

function hex(words: number): string {
  let id = wordToHex(randomWord() | 1);
  for (let i = 1; i < words; i++) id += wordToHex(randomWord());
  return id;
}
