import { type Check, isObjectOf, isText, orNothing } from './message-parser.js';

/** The span that was active where a process's code was, as hexadecimal ids. */
export interface ActiveSpan {
  traceId: string;
  /** The innermost span. */
  spanId: string;
  /** The span of the request; the same as `spanId` where no other span is open. */
  rootSpanId: string | undefined;
  name: string | undefined;
}

export const isActiveSpan: Check = isObjectOf<ActiveSpan>({
  traceId: isText,
  spanId: isText,
  rootSpanId: orNothing(isText),
  name: orNothing(isText),
});
