/**
 * An OTLP endpoint for tests: real gRPC and real HTTP on loopback, decoded with the official protocol
 * definitions.
 *
 * @module
 */
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { waitFor } from '../process/wait-for.js';
import { type Answer, failureOf } from './answer.js';
import { protocol, type RawMessage, type Signal } from './decode.js';
import { listenGrpc } from './grpc-listener.js';
import { listenHttp } from './http-listener.js';
import type { Listener, Outcome, WireRequest } from './listener.js';
import { flattenLogs, type ReceivedLog } from './received-log.js';
import { flattenMetrics, type ReceivedMetric } from './received-metric.js';
import { flattenSpans, type ReceivedSpan } from './received-span.js';

/** One export request, whatever the answer to it was. */
export interface ReceivedRequest {
  signal: Signal;
  protocol: 'grpc' | 'http';
  headers: Record<string, string>;
  /** Size of the message, decompressed. */
  bytes: number;
  /** `performance.now()` at its arrival. */
  at: number;
  answer: Answer['answer'];
  /** The spans of a traces request, also of one that was refused. */
  spans: ReceivedSpan[];
  /** Likewise the records of a logs request. */
  logs: ReceivedLog[];
  message: RawMessage;
}

const REJECTED: Record<Signal, string> = {
  traces: 'rejectedSpans',
  logs: 'rejectedLogRecords',
  metrics: 'rejectedDataPoints',
};
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * @example
 * const endpoint = await OtlpEndpoint.start(t);
 * … export: { to: 'otlp-grpc', url: endpoint.grpcUrl } …
 * endpoint.answerWith({ answer: 'unavailable' }, 2);
 * const spans = await endpoint.waitForSpans(100);
 */
export class OtlpEndpoint {
  /** Every export request since the start, in order of arrival. */
  readonly requests: ReceivedRequest[] = [];
  /** Log records kept, in order of arrival. */
  readonly logs: ReceivedLog[] = [];
  /** Metrics kept, in order of arrival. */
  readonly metrics: ReceivedMetric[] = [];
  /** Requests that could not be decoded. A test's `after` fails when there are any. */
  readonly malformed: Error[] = [];

  #spans: ReceivedSpan[] = [];
  #grpc: Listener | undefined;
  #http: Listener | undefined;
  #grpcPort = 0;
  #httpPort = 0;
  #required: { name: string; value: string } | undefined;
  #answer: Answer = { answer: 'ok' };
  #answersLeft = Number.POSITIVE_INFINITY;
  #stopping = new AbortController();

  /** Larger requests are refused by the servers themselves: gRPC's RESOURCE_EXHAUSTED, HTTP's 413. */
  readonly #maxRequestBytes: number;

  readonly #takes: (signal: Signal) => boolean;

  private constructor(maxRequestBytes: number, takes: (signal: Signal) => boolean) {
    this.#maxRequestBytes = maxRequestBytes;
    this.#takes = takes;
  }

  /** Listens on free ports; closed at the end of the test. `without`: a signal that it has no service for. */
  static async start(
    t: Pick<TestContext, 'after'>,
    { maxRequestBytes = 64 * 1024 * 1024, without }: { maxRequestBytes?: number; without?: Signal } = {},
  ): Promise<OtlpEndpoint> {
    const endpoint = new OtlpEndpoint(maxRequestBytes, (signal) => signal !== without);
    t.after(async () => {
      await endpoint.stop();
      if (endpoint.malformed.length > 0) throw new AggregateError(endpoint.malformed, 'malformed OTLP was received');
    });
    await endpoint.restart();
    return endpoint;
  }

  /** Has a process send its metrics here, four times a second. */
  get metricsEnvironment(): Record<string, string> {
    return {
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: this.grpcUrl,
      OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc',
      OTEL_METRIC_EXPORT_INTERVAL: '250',
      OTEL_METRIC_EXPORT_TIMEOUT: '200',
    };
  }

  /** `http://127.0.0.1:port`, as an OTLP/gRPC exporter takes it. */
  get grpcUrl(): string {
    return `http://127.0.0.1:${this.#grpcPort}`;
  }

  /** The full URL for traces over HTTP. */
  get httpUrl(): string {
    return `${this.httpBaseUrl}/v1/traces`;
  }

  /** As in OTEL_EXPORTER_OTLP_ENDPOINT: exporters append `/v1/traces`. */
  get httpBaseUrl(): string {
    return `http://127.0.0.1:${this.#httpPort}`;
  }

  /** Spans kept: those of refused and rejected exports are not among them. */
  received(): readonly ReceivedSpan[] {
    return this.#spans;
  }

  /** Answers the next `times` requests like this (by default all until told otherwise), then `ok` again. */
  answerWith(answer: Answer, times: number = Number.POSITIVE_INFINITY): void {
    this.#answer = answer;
    this.#answersLeft = times;
  }

  /** Without this header, requests are answered UNAUTHENTICATED, or 401. */
  requireHeader(name: string, value: string): void {
    this.#required = { name, value };
  }

  answerOk(): void {
    this.answerWith({ answer: 'ok' });
  }

  /** Closes both ports and every connection: clients get "connection refused" until {@link restart}. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#grpc?.close(), this.#http?.close()]);
    this.#grpc = this.#http = undefined;
  }

  /** Listens again, on the same ports. What was received stays. */
  async restart(): Promise<void> {
    await this.stop();
    this.#stopping = new AbortController();
    const receive = (request: WireRequest) => this.#receive(request);
    this.#grpc = await listenGrpc(this.#grpcPort, receive, this.#maxRequestBytes, this.#takes);
    this.#http = await listenHttp(this.#httpPort, receive, this.#maxRequestBytes, this.#takes);
    this.#grpcPort = this.#grpc.port;
    this.#httpPort = this.#http.port;
  }

  /** Forgets what was received. */
  clear(): void {
    this.#spans = [];
    this.logs.length = 0;
    this.metrics.length = 0;
    this.requests.length = 0;
  }

  /** Resolves with the kept spans once there are `wanted`, or once it returns true for them. */
  async waitForSpans(
    wanted: number | ((spans: readonly ReceivedSpan[]) => boolean),
    timeoutMs: number = DEFAULT_TIMEOUT_MS,
  ): Promise<readonly ReceivedSpan[]> {
    const enough = typeof wanted === 'number' ? (spans: readonly ReceivedSpan[]) => spans.length >= wanted : wanted;
    const what = () =>
      `${typeof wanted === 'number' ? `${wanted} spans` : 'the spans'}; ${this.#spans.length} spans in ${this.requests.length} requests`;
    await waitFor(() => enough(this.#spans), what, timeoutMs);
    return this.#spans;
  }

  /** Resolves with the requests, refused ones included, once there are `count`. */
  async waitForRequests(count: number, timeoutMs: number = DEFAULT_TIMEOUT_MS): Promise<readonly ReceivedRequest[]> {
    await waitFor(() => this.requests.length >= count, `${count} export requests`, timeoutMs);
    return this.requests;
  }

  /** Resolves with the kept log records once there are `wanted`, or once it returns true for them. */
  async waitForLogs(
    wanted: number | ((logs: readonly ReceivedLog[]) => boolean),
    timeoutMs: number = DEFAULT_TIMEOUT_MS,
  ): Promise<readonly ReceivedLog[]> {
    const enough = typeof wanted === 'number' ? (logs: readonly ReceivedLog[]) => logs.length >= wanted : wanted;
    await waitFor(
      () => enough(this.logs),
      () => `the log records; there are ${this.logs.length}`,
      timeoutMs,
    );
    return this.logs;
  }

  /** Resolves with the kept metrics once `enough` returns true for them. */
  async waitForMetrics(
    enough: (metrics: readonly ReceivedMetric[]) => boolean,
    timeoutMs: number = DEFAULT_TIMEOUT_MS,
  ): Promise<readonly ReceivedMetric[]> {
    await waitFor(() => enough(this.metrics), 'the metrics', timeoutMs);
    return this.metrics;
  }

  async #receive(request: WireRequest): Promise<Outcome> {
    const { name = '', value } = this.#required ?? {};
    const isStranger = this.#required !== undefined && request.headers[name] !== value;
    let answer: Answer = isStranger ? { answer: 'fail', grpc: status.UNAUTHENTICATED, http: 401 } : this.#nextAnswer();
    let message: RawMessage;
    let spans: ReceivedSpan[] = [];
    let logs: ReceivedLog[] = [];
    let metrics: ReceivedMetric[] = [];
    try {
      message = protocol[request.signal].request.decode(request.body);
      if (request.signal === 'traces') spans = flattenSpans(message);
      else if (request.signal === 'logs') logs = flattenLogs(message);
      else metrics = flattenMetrics(message);
    } catch (error) {
      this.malformed.push(error as Error);
      return { failure: { grpc: status.INVALID_ARGUMENT, http: 400, message: String(error), retryAfterMs: undefined } };
    }
    if (answer.answer === 'refuse-spans') {
      const { named, with: refusal = { answer: 'invalid-argument' } } = answer;
      if (spans.some(({ name }) => named.test(name))) answer = refusal;
    }
    this.requests.push({
      signal: request.signal,
      protocol: request.protocol,
      headers: request.headers,
      bytes: request.body.length,
      at: performance.now(),
      answer: answer.answer,
      spans,
      logs,
      message,
    });

    const failure = failureOf(answer);
    if (answer.answer === 'hang') return new Promise(() => {});
    if (failure?.body === 'trickle' && request.protocol === 'grpc') return new Promise(() => {});
    if (failure) return { failure };
    if (answer.answer === 'slow') {
      // Unreferenced, and cut short by stop(): a test's end does not wait for it.
      await sleep(answer.delayMs, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {});
    }
    const rejected = answer.answer === 'partial-success' ? answer.rejected : 0;
    this.#spans.push(...spans.slice(0, Math.max(0, spans.length - rejected)));
    this.logs.push(...logs.slice(0, Math.max(0, logs.length - rejected)));
    this.metrics.push(...metrics.slice(0, Math.max(0, metrics.length - rejected)));
    const { response } = protocol[request.signal];
    if (answer.answer !== 'partial-success') return { response: response.encode({}).finish() };
    const count = REJECTED[request.signal];
    const partialSuccess = { [count]: rejected, errorMessage: answer.message ?? 'told to reject some' };
    return { response: response.encode({ partialSuccess }).finish() };
  }

  #nextAnswer(): Answer {
    if (this.#answersLeft <= 0) this.answerOk();
    this.#answersLeft -= 1;
    return this.#answer;
  }
}
