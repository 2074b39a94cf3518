import type { TraceState } from '@opentelemetry/api';

/** W3C Trace Context Level 2, section 3.3.1.3.1, "Key". Level 1: `@` once, no digit first without it. */
const KEY = /^[a-z0-9][a-z0-9_\-*/@]{0,255}$/;
/** Section 3.3.1.3.2, "Value": printable ASCII but `,` and `=`; it does not end with a space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MOST_MEMBERS = 32;
/** Spaces and tabs around a member are not part of it. */
const AROUND = /^[ \t]+|[ \t]+$/g;

/**
 * A caller's `tracestate`, passed on whole and in its order. OpenTelemetry's own class knows the keys of
 * Level 1 alone, and drops members behind the first 512 characters.
 */
export class PassedTraceState implements TraceState {
  readonly members: ReadonlyMap<string, string>;

  constructor(members: ReadonlyMap<string, string>) {
    this.members = members;
  }

  get(key: string): string | undefined {
    return this.members.get(key);
  }

  /** What has changed comes first; with more than 32 members the last one is left out (section 3.3.1.1). */
  set(key: string, value: string): TraceState {
    if (!KEY.test(key) || !VALUE.test(value)) return this;
    const others = [...this.members].filter(([other]) => other !== key).slice(0, MOST_MEMBERS - 1);
    return new PassedTraceState(new Map([[key, value], ...others]));
  }

  unset(key: string): TraceState {
    if (!this.members.has(key)) return this;
    return new PassedTraceState(new Map([...this.members].filter(([other]) => other !== key)));
  }

  serialize(): string {
    return Array.from(this.members, ([key, value]) => `${key}=${value}`).join(',');
  }
}

/**
 * Empty members do not count; of a key that is there twice the first one does, which is the newer.
 *
 * @param header of several lines, joined by commas
 * @returns undefined when it has no member, when one of them is wrong, or when there are more than 32
 */
export function parseTraceState(header: string): PassedTraceState | undefined {
  const members = new Map<string, string>();
  let count = 0;
  for (const part of header.split(',')) {
    const member = part.replace(AROUND, '');
    if (member === '') continue;
    const equals = member.indexOf('=');
    const key = member.slice(0, Math.max(equals, 0));
    const value = member.slice(equals + 1);
    count++;
    if (count > MOST_MEMBERS || !KEY.test(key) || !VALUE.test(value)) return undefined;
    if (!members.has(key)) members.set(key, value);
  }
  return count === 0 ? undefined : new PassedTraceState(members);
}
