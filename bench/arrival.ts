/**
 * Before anything is measured: spans with the right attributes really arrive.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { get } from 'node:http';
import { decode } from '#src/wire/decode.js';
import { TracesRequest } from '#src/wire/otlp.js';
import type { AnyValue, KeyValue, OtlpSpan } from '#src/wire/otlp-json.js';
import type { BenchProcess } from './processes.js';

/** As the load generator's. */
const headers = { 'user-agent': 'bench' };
const PROBE = 'probe=arrives';
const SERVER_KIND = 2;
/** Elastic's agent keeps a body open for ten seconds. */
const TIMEOUT_MS = 20_000;

interface Probed {
  name: string;
  speaksOtlp: boolean;
  sink: BenchProcess;
  port: number;
}

/**
 * Sends one request and waits for its trace.
 *
 * @param spans Of a request.
 * @returns the attribute keys of its server span, in alphabetical order; none for who does not speak OTLP:
 * there it is only sure that the request has been reported
 * @throws AssertionError when what arrives is not what was asked
 */
export async function probe(
  { name, speaksOtlp, sink, port }: Probed,
  path: string,
  spans: number,
  timeoutMs = TIMEOUT_MS,
): Promise<string[]> {
  sink.tell('keep');
  await new Promise<void>((resolve, reject) => {
    get({ port, host: '127.0.0.1', path: `${path}?${PROBE}`, agent: false, headers }, (response) =>
      response.resume().once('end', resolve),
    ).once('error', reject);
  });
  try {
    for (const until = performance.now() + timeoutMs; performance.now() < until; ) {
      const { otlp, posted } = await sink.ask<{ otlp: string[]; posted: string[] }>('kept');
      if (!speaksOtlp && posted.join('').includes(PROBE)) return [];
      const attributes = speaksOtlp && attributesOf(otlp, path, spans);
      if (attributes) return attributes;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new assert.AssertionError({ message: `${name}: no trace of GET ${path}?${PROBE} has arrived` });
  } finally {
    sink.tell('forget');
  }
}

/** Of the probed request's server span, once all spans of its trace are here. */
function attributesOf(otlp: string[], path: string, count: number): string[] | undefined {
  const spans = otlp
    .map((body) => decode(Buffer.from(body, 'base64'), TracesRequest))
    .flatMap(({ resourceSpans }) => resourceSpans ?? [])
    .flatMap(({ scopeSpans }) => scopeSpans ?? [])
    .flatMap((scope) => scope.spans ?? []);
  const server = spans.find(({ kind, attributes }) => kind === SERVER_KIND && has(attributes, PROBE));
  if (server === undefined) return undefined;
  const trace = spans.filter(({ traceId }) => traceId === server.traceId);
  if (trace.length < count) return undefined;
  assert.equal(trace.length, count, `spans of GET ${path}`);
  const value = (key: string) => plain(server.attributes?.find((one) => one.key === key)?.value);
  assert.equal(value('http.request.method'), 'GET');
  assert.equal(value('url.path'), path);
  assert.equal(value('http.response.status_code'), '200');
  assert.ok(BigInt(server.endTimeUnixNano ?? 0) > BigInt(server.startTimeUnixNano ?? 0), 'it ends after it started');
  for (const child of trace.filter((span) => span !== server)) assertChild(child, server);
  return (server.attributes ?? []).map(({ key }) => key!).sort();
}

function assertChild(child: OtlpSpan, server: OtlpSpan): void {
  assert.equal(child.parentSpanId, server.spanId, 'a child span has the server span as its parent');
  // Those of an instrumentation have attributes of its own.
  if (child.name !== 'step') return;
  assert.deepEqual((child.attributes ?? []).map(({ key }) => key).sort(), ['step.cached', 'step.index', 'step.name']);
}

const plain = (value: AnyValue | undefined) => value?.stringValue ?? value?.intValue;
const has = (attributes: KeyValue[] | undefined, text: string) =>
  attributes?.some(({ value }) => plain(value)?.includes(text)) ?? false;
