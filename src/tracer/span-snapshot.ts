/**
 * A span as its readers see it, copied into plain values.
 *
 * What span processors hand on is anything that looks like the SDK's ReadableSpan: a copy, a wrapper, a
 * proxy, with getters and values of any type. All of it is read here, part by part, so that what cannot be
 * read is left out and costs nothing else; and it is read before encoding begins, because a getter may end
 * another span.
 *
 * @module
 */
import { type HrTime, type Link, type SpanContext, SpanKind } from '@opentelemetry/api';
import { reportFailure } from '../report-failure.js';
import type { ReadableSpan, TimedEvent } from '../sdk/types.js';
import { hexToWord, spanWords } from './ids.js';
import { HAS_IS_REMOTE, IS_REMOTE, isKind } from './span-encoder.js';
import { wholeTime } from './time-input.js';

/** Key, value, key, value …; no key twice. */
export type Pairs = unknown[];

export interface EventSnapshot {
  name: string;
  time: HrTime;
  attributes: Pairs;
  dropped: unknown;
}

export interface LinkSnapshot {
  traceId: string;
  spanId: string;
  traceState: string | undefined;
  flags: number;
  attributes: Pairs;
  dropped: unknown;
}

/** With the fields of SpanStart. */
export interface SpanSnapshot {
  trace0: number;
  trace1: number;
  trace2: number;
  trace3: number;
  span0: number;
  span1: number;
  parent0: number;
  parent1: number;
  kind: number;
  startSeconds: number;
  startNanos: number;
  flags: number;
  traceState: string | undefined;
  name: string;
  end: HrTime;
  attributes: Pairs;
  droppedAttributes: unknown;
  events: EventSnapshot[];
  droppedEvents: unknown;
  links: LinkSnapshot[];
  droppedLinks: unknown;
  statusCode: unknown;
  statusMessage: unknown;
}

/**
 * Nested values deeper than this are left out, as is what a span has beyond so many: an object may contain
 * itself.
 */
const MAX_DEPTH = 16;
const MAX_VALUES = 10_000;

/** @returns undefined for what has no valid trace and span id: no backend could place it */
export function snapshotOf(span: ReadableSpan): SpanSnapshot | undefined {
  const context = contextOf(span);
  if (context === undefined || !isHex(context.traceId, 32) || !isHex(context.spanId, 16)) return undefined;
  const { traceId, spanId } = context;
  const parent = read(() => span.parentSpanContext);
  const parentId = read(() => parent?.spanId);
  const [startSeconds, startNanos] = timeIn(read(() => span.startTime));
  const kind = read(() => span.kind);
  const status = read(() => span.status);
  return {
    ...spanWords(traceId, spanId),
    parent0: isHex(parentId, 16) ? hexToWord(parentId, 0) : 0,
    parent1: isHex(parentId, 16) ? hexToWord(parentId, 8) : 0,
    kind: isKind(kind) ? kind : SpanKind.INTERNAL,
    startSeconds,
    startNanos,
    flags: flagsOf(context, read(() => parent?.isRemote) === true),
    traceState: read(() => context.traceState?.serialize()),
    name: textOf(read(() => span.name)),
    end: timeIn(read(() => span.endTime)),
    attributes: pairsOf(read(() => span.attributes)),
    droppedAttributes: read(() => span.droppedAttributesCount),
    events: listOf(
      read(() => span.events),
      eventOf,
    ),
    droppedEvents: read(() => span.droppedEventsCount),
    links: listOf(
      read(() => span.links),
      linkOf,
    ),
    droppedLinks: read(() => span.droppedLinksCount),
    statusCode: read(() => status?.code),
    statusMessage: read(() => status?.message),
  };
}

/**
 * A copy by spread has no methods; what `spanContext()` returns is in a field of our spans as of the SDK's.
 */
export function contextOf(span: ReadableSpan): SpanContext | undefined {
  return read(() => {
    if (typeof span.spanContext === 'function') return span.spanContext();
    return (span as { _spanContext?: SpanContext })._spanContext;
  });
}

/** What `get` returns, or undefined where it throws. */
function read<Value>(get: () => Value): Value | undefined {
  try {
    return get();
  } catch (error) {
    reportFailure('A part of a span could not be read and is left out', error);
    return undefined;
  }
}

function isHex(id: unknown, length: number): id is string {
  return typeof id === 'string' && id.length === length && !/[^\da-f]/i.test(id) && /[^0]/.test(id);
}

function flagsOf({ traceFlags }: SpanContext, isRemote: boolean): number {
  return (Number(traceFlags) & 0xff) | HAS_IS_REMOTE | (isRemote ? IS_REMOTE : 0);
}

function timeIn(time: unknown): HrTime {
  if (!Array.isArray(time) || typeof time[0] !== 'number' || typeof time[1] !== 'number') return [0, 0];
  return wholeTime(time as HrTime);
}

/** Any value as text; empty for none. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === undefined || value === null ? '' : (read(() => String(value)) ?? '');
}

function listOf<Item, Copy>(items: readonly Item[] | undefined, copy: (item: Item) => Copy | undefined): Copy[] {
  const copies: Copy[] = [];
  read(() => {
    for (const item of items ?? []) {
      const copied = read(() => copy(item));
      if (copied !== undefined) copies.push(copied);
    }
  });
  return copies;
}

function eventOf({ name, time, attributes, droppedAttributesCount }: TimedEvent): EventSnapshot {
  return { name: textOf(name), time: timeIn(time), attributes: pairsOf(attributes), dropped: droppedAttributesCount };
}

function linkOf({ context, attributes, droppedAttributesCount }: Link): LinkSnapshot {
  return {
    traceId: textOf(context.traceId),
    spanId: textOf(context.spanId),
    traceState: read(() => context.traceState?.serialize()),
    flags: flagsOf(context, context.isRemote === true),
    attributes: pairsOf(attributes),
    dropped: droppedAttributesCount,
  };
}

/** Each own property whose value can be read. */
export function pairsOf(attributes: unknown): Pairs {
  const pairs: Pairs = [];
  if (typeof attributes !== 'object' || attributes === null) return pairs;
  const budget = { left: MAX_VALUES };
  read(() => {
    for (const key of Object.keys(attributes)) {
      read(() => pairs.push(key, copyOf((attributes as Record<string, unknown>)[key], 0, budget)));
    }
  });
  return pairs;
}

/** What OTLP's AnyValue can hold: the rest becomes undefined, its null. */
function copyOf(value: unknown, depth: number, budget: { left: number }): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null || depth === MAX_DEPTH || --budget.left < 0) return undefined;
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return Array.from(value, (item) => copyOf(item, depth + 1, budget));
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(value)) copy[key] = copyOf((value as Record<string, unknown>)[key], depth + 1, budget);
  return copy;
}
