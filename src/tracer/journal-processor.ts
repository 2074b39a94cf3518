import type { Context, Span, SpanContext } from '@opentelemetry/api';
import { encodeScopeFields, type Scope } from '../journal/encoder.js';
import { NO_ENTRY, type SpanLog } from '../journal/span-log.js';
import type { ReadableSpan, SpanProcessor } from '../sdk/types.js';
import {
  ERROR_TYPE,
  EXCEPTION_TYPE,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  NETWORK_PROTOCOL_VERSION,
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_SCHEME,
} from '../wire/conventions.js';
import type { Memory } from '../wire/memory.js';
import { amendReadable, beginReadable, keepReadable } from './readable-encoding.js';
import { contextOf, type Pairs, pairsOf, textOf } from './span-snapshot.js';
import { isSampled } from './trace-flags.js';

/**
 * What an interrupted span may show where there are span processors. One of them may be there to redact, and
 * it would have seen the span when it ended, which it never did: only what describes the kind of operation is
 * in the in-flight table.
 */
const IN_FLIGHT_ATTRIBUTES: ReadonlySet<string> = new Set([
  ERROR_TYPE,
  EXCEPTION_TYPE,
  HTTP_REQUEST_METHOD,
  HTTP_RESPONSE_STATUS_CODE,
  HTTP_ROUTE,
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.system',
  'network.protocol.name',
  NETWORK_PROTOCOL_VERSION,
  'rpc.method',
  'rpc.service',
  'rpc.system',
  SERVER_ADDRESS,
  SERVER_PORT,
  URL_SCHEME,
]);

interface OpenEntry {
  entry: number;
  scope: Memory;
  name: string;
  keys: Set<string>;
}

/**
 * The end of a chain of span processors: writes what it is handed to the journal. That may be another object
 * than the span that started; its ids say which one it is.
 */
export class JournalProcessor implements SpanProcessor {
  readonly #spanLog: SpanLog;
  readonly #open = new Map<string, OpenEntry>();
  readonly #scopes = new WeakMap<Scope, Memory>();

  constructor(spanLog: SpanLog) {
    this.#spanLog = spanLog;
  }

  onStart(span: Span & ReadableSpan, _parentContext: Context): void {
    const context = contextOf(span);
    if (context === undefined || !isSampled(context.traceFlags)) return;
    const { parentSpanContext, name } = span;
    if (parentSpanContext !== undefined && parentSpanContext.isRemote !== true) return;
    const keys = new Set<string>();
    const isKept = (key: string) => IN_FLIGHT_ATTRIBUTES.has(key) && keys.add(key) !== undefined;
    const scope = this.#scopeOf(span);
    const entry = beginReadable(span, this.#spanLog, scope, isKept);
    if (entry === NO_ENTRY) return;
    this.#open.set(context.traceId + context.spanId, { entry, scope, name, keys });
  }

  onEnd(span: ReadableSpan): void {
    const context = contextOf(span);
    if (context === undefined || !isSampled(context.traceFlags)) return;
    const id = context.traceId + context.spanId;
    const open = this.#open.get(id);
    this.#open.delete(id);
    const scope = this.#scopeOf(span);
    // An entry has the scope with which its span started: a processor may have given it another one.
    const entry = open?.scope.buffer.equals(scope.buffer) ? open.entry : NO_ENTRY;
    keepReadable(span, this.#spanLog, scope, entry);
    if (open !== undefined && entry === NO_ENTRY) this.#spanLog.drop(open.entry);
  }

  /** What has become known of a span that is in flight, into its entry. */
  checkpoint(span: ReadableSpan): void {
    const open = this.#amend(span);
    this.#spanLog.settle(open?.entry ?? NO_ENTRY);
  }

  #amend(span: ReadableSpan): { entry: number } | undefined {
    const { traceId, spanId } = span.spanContext();
    const open = this.#open.get(traceId + spanId);
    if (open === undefined) return undefined;
    const all = pairsOf(span.attributes);
    const added: Pairs = [];
    for (let i = 0; i < all.length; i += 2) {
      const key = all[i] as string;
      if (IN_FLIGHT_ATTRIBUTES.has(key) && !open.keys.has(key)) added.push(key, all[i + 1]);
    }
    const name = span.name === open.name ? undefined : span.name;
    if (!amendReadable(this.#spanLog, open.entry, name, added)) return open;
    open.name = span.name;
    for (let i = 0; i < added.length; i += 2) open.keys.add(added[i] as string);
    return open;
  }

  /**
   * All processors have seen the end of the span that started with these ids: if none has handed it on, it is
   * not kept, and is no longer in flight.
   */
  settled({ traceId, spanId }: SpanContext): void {
    const open = this.#open.get(traceId + spanId);
    if (open === undefined) return;
    this.#open.delete(traceId + spanId);
    this.#spanLog.drop(open.entry);
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}

  #scopeOf({ instrumentationScope }: ReadableSpan): Memory {
    const scope = typeof instrumentationScope === 'object' ? (instrumentationScope ?? NO_SCOPE) : NO_SCOPE;
    let fields = this.#scopes.get(scope);
    if (fields === undefined) {
      const { name, version, schemaUrl } = scope;
      fields = encodeScopeFields({ name: textOf(name), version: textOf(version), schemaUrl: textOf(schemaUrl) });
      this.#scopes.set(scope, fields);
    }
    return fields;
  }
}

const NO_SCOPE: Scope = { name: '' };
