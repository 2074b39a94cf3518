import assert from 'node:assert/strict';
import { test } from 'node:test';
import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { Connection } from '#src/http/connection.js';
import { IncomingContext } from '#src/http/incoming-context.js';
import { RequestHead } from '#src/http/request-head.js';
import './traced-server.js';

/** What the request's context says of its caller, by our reading and by the global propagator's. */
function readings(rawHeaders: string[]) {
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    headers[name] = headers[name] === undefined ? rawHeaders[i + 1]! : `${headers[name]}, ${rawHeaders[i + 1]}`;
  }
  const incoming = new IncomingContext();
  const head = new RequestHead(new Set());
  const message = { url: '/', method: 'GET', httpVersion: '1.1', rawHeaders, headers };
  head.readMessage(message as never, new Connection({} as never), incoming.fields);
  const ours = incoming.extract(head);
  const theirs = propagation.extract(ROOT_CONTEXT, headers);
  const of = (context: typeof ours) => {
    const caller = trace.getSpanContext(context);
    const baggage = propagation.getBaggage(context)?.getAllEntries();
    return { ...caller, traceState: caller?.traceState?.serialize(), baggage };
  };
  return [of(ours), of(theirs)];
}

const id = '0af7651916cd43dd8448eb211c80319c';
const span = 'b7ad6b7169203331';

for (const [what, rawHeaders] of [
  ['no context', ['Host', 'a']],
  ['traceparent', ['traceparent', `00-${id}-${span}-01`]],
  ['traceparent, other case', ['TraceParent', `00-${id}-${span}-00`]],
  ['random flag', ['traceparent', `00-${id}-${span}-03`]],
  ['with tracestate', ['traceparent', `00-${id}-${span}-01`, 'tracestate', 'a=b']],
  ['with baggage, which comes first', ['baggage', 'k=v', 'traceparent', `00-${id}-${span}-01`]],
  ['with baggage, which comes last', ['traceparent', `00-${id}-${span}-01`, 'baggage', 'k=v']],
  ['twice', ['traceparent', `00-${id}-${span}-01`, 'traceparent', `00-${id}-${span}-01`]],
  ['a later version', ['traceparent', `01-${id}-${span}-01-more`]],
  ['version ff', ['traceparent', `ff-${id}-${span}-01`]],
  ['zero trace id', ['traceparent', `00-${'0'.repeat(32)}-${span}-01`]],
  ['zero span id', ['traceparent', `00-${id}-${'0'.repeat(16)}-01`]],
  ['upper case', ['traceparent', `00-${id.toUpperCase()}-${span}-01`]],
  ['too long', ['traceparent', `00-${id}-${span}-01-x`]],
  ['garbage', ['traceparent', 'x'.repeat(55)]],
  ['names of the same shape', ['trash-paper', 'x', 'bundler', 'y']],
] as [string, string[]][]) {
  test(`the caller's context is read as the propagator reads it: ${what}`, () => {
    const [ours, theirs] = readings(rawHeaders);
    assert.deepEqual(ours, theirs);
  });
}
