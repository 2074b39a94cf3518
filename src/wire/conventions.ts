/**
 * The words between processes: names of attributes, spans, events and metrics that one of our processes, a
 * backend or a dashboard reads. Each stands here once; docs/emitted.md is made of this file.
 *
 * @module
 */

export type EmittedKind = 'resource attribute' | 'attribute' | 'span' | 'event' | 'metric';

export interface Emitted {
  readonly name: string;
  readonly kind: EmittedKind;
  /** A name of OpenTelemetry's semantic conventions; others are ours. */
  readonly conventional: boolean;
  /** What it says, in one sentence. */
  readonly says: string;
}

const emitted: Emitted[] = [];

/** All names, in the order of this file. */
export const EMITTED: readonly Emitted[] = emitted;

function declare(kind: EmittedKind, conventional: boolean) {
  return <const Name extends string>(name: Name, says: string): Name => {
    emitted.push({ name, kind, conventional, says });
    return name;
  };
}

const resource = declare('resource attribute', true);
const ownResource = declare('resource attribute', false);
const attribute = declare('attribute', true);
const ownAttribute = declare('attribute', false);
const ownSpan = declare('span', false);
const event = declare('event', true);
const ownEvent = declare('event', false);
const metric = declare('metric', true);
const ownMetric = declare('metric', false);

// Who: resources of workers and of the coordinator.
export const SERVICE_NAME = resource('service.name', 'The service, as configured or found in package.json.');
export const SERVICE_VERSION = resource('service.version', 'The version of the service, as configured or found.');
export const SERVICE_INSTANCE_ID = resource(
  'service.instance.id',
  'A new UUID for each process in a slot; for a process without a slot, what the environment says.',
);
export const HOST_NAME = resource('host.name', 'The name of the machine or container.');
export const HOST_ARCH = resource('host.arch', 'The architecture of the processor.');
export const HOST_ID = resource('host.id', 'The id of the machine (Linux: machine-id).');
export const OS_TYPE = resource('os.type', 'The operating system.');
export const OS_VERSION = resource('os.version', 'The release of its kernel.');
export const CONTAINER_ID = resource('container.id', 'The id of the container, where the process is in one.');
export const PROCESS_PID = resource('process.pid', 'The process id.');
export const THREAD_ID = resource(
  'thread.id',
  'The worker thread, by its number in the process; none in the main thread.',
);
export const PROCESS_EXECUTABLE_NAME = resource('process.executable.name', 'The title of the process.');
export const PROCESS_EXECUTABLE_PATH = resource('process.executable.path', 'The path of Node.js.');
export const PROCESS_COMMAND = resource('process.command', 'The path of the program.');
export const PROCESS_COMMAND_ARGS = resource('process.command_args', 'The command line, options of Node.js included.');
export const PROCESS_OWNER = resource('process.owner', 'The name of the user that runs the process.');
export const PROCESS_RUNTIME_NAME = resource('process.runtime.name', 'Always nodejs.');
export const PROCESS_RUNTIME_VERSION = resource('process.runtime.version', 'The version of Node.js.');
export const PROCESS_RUNTIME_DESCRIPTION = resource('process.runtime.description', 'Always Node.js.');
export const TELEMETRY_SDK_LANGUAGE = resource('telemetry.sdk.language', 'Always nodejs.');
export const TELEMETRY_SDK_NAME = resource('telemetry.sdk.name', 'Always opentelemetry, as the SDK says.');
export const TELEMETRY_SDK_VERSION = resource(
  'telemetry.sdk.version',
  'The version of the SDK whose span format forktrace follows.',
);
export const TELEMETRY_DISTRO_NAME = resource('telemetry.distro.name', 'Always forktrace.');
export const TELEMETRY_DISTRO_VERSION = resource('telemetry.distro.version', 'The version of forktrace.');
export const CLUSTER_MANAGER = ownResource('cluster.manager', 'Who forks the workers: cluster, pm2 or none.');
export const CLUSTER_ROLE = ownResource('cluster.role', 'coordinator, on spans of the process that forks.');
export const CLUSTER_WORKER_SLOT = ownResource(
  'cluster.worker.slot',
  'The stable place of a worker, from 0; also an attribute of worker.start and worker.exit, and of log records that the coordinator has read.',
);
export const CLUSTER_WORKER_ID = ownResource('cluster.worker.id', 'The id that the process manager gives the worker.');
export const CLUSTER_WORKER_INCARNATION = ownResource(
  'cluster.worker.incarnation',
  'How many processes had the slot before this one; also an attribute of worker.start and worker.exit.',
);

// HTTP server spans and metrics.
export const CLIENT_ADDRESS = attribute(
  'client.address',
  'The address of the client; the first of X-Forwarded-For or Forwarded where proxies are trusted.',
);
export const HTTP_REQUEST_METHOD = attribute(
  'http.request.method',
  'The method; _OTHER for one that the conventions do not know.',
);
export const HTTP_REQUEST_METHOD_ORIGINAL = attribute(
  'http.request.method_original',
  'The method as it was sent, where http.request.method is _OTHER.',
);
export const HTTP_RESPONSE_STATUS_CODE = attribute('http.response.status_code', 'The status of the response.');
export const HTTP_ROUTE = attribute(
  'http.route',
  'The route that the framework matched, with names for its parameters.',
);
export const NETWORK_PEER_ADDRESS = attribute(
  'network.peer.address',
  'The address at the other end of the connection.',
);
export const NETWORK_PEER_PORT = attribute('network.peer.port', 'The port at the other end of the connection.');
export const NETWORK_PROTOCOL_VERSION = attribute('network.protocol.version', 'The version of HTTP.');
export const SERVER_ADDRESS = attribute('server.address', 'The host that the client asked for.');
export const SERVER_PORT = attribute('server.port', 'The port that the client asked for.');
export const URL_PATH = attribute('url.path', 'The path of the request.');
export const URL_QUERY = attribute('url.query', 'The query of the request, without the values of secrets.');
export const URL_SCHEME = attribute('url.scheme', 'http or https.');
export const USER_AGENT_ORIGINAL = attribute('user_agent.original', 'The User-Agent header.');
export const USER_AGENT_SYNTHETIC_TYPE = attribute(
  'user_agent.synthetic.type',
  'bot or test, where the User-Agent header says so.',
);
export const HTTP_SERVER_REQUEST_DURATION = metric(
  'http.server.request.duration',
  'How long requests take, in seconds.',
);
export const HTTP_SERVER_ACTIVE_REQUESTS = metric('http.server.active_requests', 'Requests that are being served.');
export const HTTP_SERVER_REQUEST_BODY_SIZE = metric(
  'http.server.request.body.size',
  'The bytes of the bodies of requests.',
);
export const HTTP_SERVER_RESPONSE_BODY_SIZE = metric(
  'http.server.response.body.size',
  'The bytes of the bodies of responses.',
);

// The life of workers and of the cluster, told by the coordinator.
export const WORKER_START = ownSpan('worker.start', 'From the fork of a worker until it is ready.');
export const WORKER_EXIT = ownSpan(
  'worker.exit',
  'From the end of a worker until its journal has been finished. Also the error.type of interrupted spans.',
);
export const CLUSTER_START = ownSpan('cluster.start', 'From the start of the coordinator until all workers are ready.');
export const CLUSTER_RELOAD = ownSpan('cluster.reload', 'A rolling reload.');
export const CLUSTER_SCALE = ownSpan(
  'cluster.scale',
  'From the request for another number of workers until they are there.',
);
export const CLUSTER_SHUTDOWN = ownSpan('cluster.shutdown', 'From the reason to stop until the last worker is gone.');
export const CLUSTER_BREAKER = ownSpan(
  'cluster.breaker',
  'The moment at which the crash-loop breaker changes its state.',
);
export const CLUSTER_BREAKER_STATE = ownAttribute(
  'cluster.breaker.state',
  'What the crash-loop breaker changes to: open, half-open or closed.',
);
export const CLUSTER_WORKERS = ownAttribute(
  'cluster.workers',
  'How many workers cluster.start and cluster.scale lead to.',
);
export const CLUSTER_RELOAD_SLOTS = ownAttribute('cluster.reload.slots', 'The slots that a reload has reached.');
export const CLUSTER_SHUTDOWN_REASON = ownAttribute('cluster.shutdown.reason', 'Why the cluster stops.');
export const CLUSTER_WORKER_PID = ownAttribute(
  'cluster.worker.pid',
  'The process id of the worker that a span is about, or a log record that the coordinator has read.',
);

// The end of a process: on worker.exit, and on the event of interrupted spans.
export const PROCESS_EXIT_CODE = attribute('process.exit.code', 'The exit code, unless a signal ended the process.');
export const EXIT_SIGNAL = ownAttribute('forktrace.exit.signal', 'The signal that ended the process.');
export const EXIT_CAUSE = ownAttribute(
  'forktrace.exit.cause',
  'Why the process ended, one of the fixed list that docs/post-mortem.md explains.',
);
export const EXIT_PLANNED = ownAttribute(
  'forktrace.exit.planned',
  'Whether the coordinator had told the worker to end.',
);
export const EXIT_SPANS_RECOVERED = ownAttribute(
  'forktrace.exit.spans_recovered',
  'Ended spans that were in the journal of the dead worker, not yet shipped.',
);
export const EXIT_REQUESTS_INTERRUPTED = ownAttribute(
  'forktrace.exit.requests_interrupted',
  'Local-root spans that were in flight when the worker died.',
);
export const EXIT_EVENT = ownEvent('forktrace.exit', 'On an interrupted span: how the process ended, when it did.');
export const INTERRUPTED = ownAttribute(
  'forktrace.interrupted',
  'true on a span that had not ended when its process died, and that the shipper has completed.',
);
export const ENDED_AFTER_INTERRUPTION = ownAttribute(
  'forktrace.ended_after_interruption',
  'true on a span that was reported as interrupted under the same ids, because its process was taken for dead, and that has ended since.',
);
export const ERROR_TYPE = attribute(
  'error.type',
  'The class of the error that a span ended with; on a metric, why spans were refused.',
);

export const EXCEPTION_EVENT = event(
  'exception',
  'An exception that the span has recorded; with OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN a log record.',
);

// The exception that ended a process, on worker.exit and on the event of interrupted spans.
export const LOG_IOSTREAM = attribute(
  'log.iostream',
  'stdout or stderr: where a log record was printed, with logs.captureOutput.',
);
export const EXCEPTION_TYPE = attribute('exception.type', 'The name of the exception.');
export const EXCEPTION_MESSAGE = attribute('exception.message', 'Its message.');
export const EXCEPTION_STACKTRACE = attribute('exception.stacktrace', 'Its stack.');

// The vitals of the last second before a death, on worker.exit.
export const VITALS_AT = ownAttribute('forktrace.vitals.age', 'Seconds from the last sample to the death.');
export const VITALS_HEAP_USED = ownAttribute('forktrace.vitals.heap.used', "Bytes of V8's heap in use.");
export const VITALS_HEAP_LIMIT = ownAttribute(
  'forktrace.vitals.heap.limit',
  "Bytes that the old generation of V8's heap may grow to; beyond them V8 ends the process.",
);
export const VITALS_RSS = ownAttribute('forktrace.vitals.rss', 'Bytes of the process in memory.');
export const VITALS_EXTERNAL = ownAttribute(
  'forktrace.vitals.external',
  'Bytes that buffers hold outside of the heap.',
);
export const VITALS_CGROUP_USED = ownAttribute('forktrace.vitals.cgroup.used', 'Bytes that the control group uses.');
export const VITALS_CGROUP_LIMIT = ownAttribute(
  'forktrace.vitals.cgroup.limit',
  'Bytes that the control group may use; absent where there is no limit.',
);
export const VITALS_UTILIZATION = ownAttribute(
  'forktrace.vitals.eventloop.utilization',
  'Event-loop utilisation in the last second, from 0 to 1.',
);
export const VITALS_DELAY = ownAttribute(
  'forktrace.vitals.eventloop.delay',
  'The longest delay of the event loop in the last second, in milliseconds.',
);
export const VITALS_GC = ownAttribute(
  'forktrace.vitals.gc.time',
  'Time in garbage collection in the last second, in milliseconds.',
);
export const VITALS_IN_FLIGHT = ownAttribute('forktrace.vitals.requests.in_flight', 'Requests in flight.');

// A blocked event loop: on the culprit's interrupted span, on worker.exit, and on the span of a block that
// has ended.
export const EVENT_LOOP_BLOCKED = ownSpan(
  'event loop blocked',
  'A block that ended by itself: below the span whose code was running, from the first late heartbeat to the next one.',
);
export const EXIT_ROLE = ownAttribute(
  'forktrace.exit.role',
  'On an interrupted span: culprit, the request whose code was running when the process ended; victim, the others.',
);
export const DEATH_ID = ownAttribute(
  'forktrace.death.id',
  "On interrupted spans and `worker.exit`: the death as `forktrace inspect --death <id>` and the viewer's page `/deaths/<id>` show it.",
);
export const BLOCK_STATE = ownAttribute(
  'forktrace.block.state',
  'What a process did, in a few words: while its event loop was blocked (runs JavaScript, waits and has a child process), or to end itself (called process.exit).',
);
export const BLOCK_SPAN_NAME = ownAttribute(
  'forktrace.block.span.name',
  'The innermost span that was active where the event loop was blocked, or the process ended itself.',
);
export const CODE_STACKTRACE = attribute(
  'code.stacktrace',
  'The JavaScript stack of a blocked event loop, or of the code that ended the process, the innermost frame first.',
);
export const CODE_FUNCTION_NAME = attribute(
  'code.function.name',
  'The function that blocked the event loop, or that ended the process.',
);
export const CODE_FILE_PATH = attribute('code.file.path', 'The file that this function is in.');
export const CODE_LINE_NUMBER = attribute(
  'code.line.number',
  'The line that blocked the event loop, or that ended the process, from 1.',
);
export const CODE_COLUMN_NUMBER = attribute('code.column.number', 'The column in that line, from 1.');
export const LAST_WORDS = ownEvent(
  'forktrace.last_words',
  'On worker.exit, where nobody had told the worker to end: what it wrote to its standard error last. Under pm2 on the interrupted span of the culprit, else of one request.',
);
export const LAST_LOG = ownEvent(
  'forktrace.last_log',
  'On worker.exit, where nobody had told the worker to end: one of its last 20 log records, at the time of the record.',
);
export const LAST_LOG_BODY = ownAttribute('forktrace.last_log.body', 'At most 1024 characters of it.');
export const LAST_LOG_SEVERITY = ownAttribute(
  'forktrace.last_log.severity',
  'trace, debug, info, warn, error or fatal; absent where the record has none.',
);
export const LAST_LOG_ATTRIBUTES = ownAttribute(
  'forktrace.last_log.attributes',
  'At most 1024 characters of them, as name=value.',
);
export const LAST_LOG_TRACE_ID = ownAttribute('forktrace.last_log.trace_id', 'The trace that the record belongs to.');
export const LAST_LOG_SPAN_ID = ownAttribute('forktrace.last_log.span_id', 'The span that the record belongs to.');
export const LAST_WORDS_TEXT = ownAttribute('forktrace.last_words.text', 'At most 16 KiB of it, from a whole line on.');

// Metrics.
export const SPANS_JOURNALED = ownMetric(
  'forktrace.spans.journaled',
  'Spans that this worker has kept: in its journal, or exported with pipeline batch.',
);
export const SPANS_LOST = ownMetric('forktrace.spans.lost', 'Spans that this worker could not keep.');
export const SDK_SPAN_STARTED = metric(
  'otel.sdk.span.started',
  'Spans that were started, by the origin of their parent and the decision of the sampler.',
);
export const SDK_SPAN_LIVE = metric('otel.sdk.span.live', 'Recorded spans that were started and have not ended.');
export const SDK_EXPORTER_SPAN_INFLIGHT = metric(
  'otel.sdk.exporter.span.inflight',
  'Spans that have ended and have not been exported yet. With pipeline journal those that wait in the journal of this worker.',
);
export const SDK_EXPORTER_SPAN_EXPORTED = metric(
  'otel.sdk.exporter.span.exported',
  'Spans whose export has finished; those that were refused have error.type.',
);
export const COMPONENT_TYPE = attribute('otel.component.type', 'On a metric: the kind of exporter.');
export const COMPONENT_NAME = attribute('otel.component.name', 'On a metric: which of the exporters of that kind.');
export const SPAN_PARENT_ORIGIN = attribute(
  'otel.span.parent.origin',
  'On a metric: none, local or remote, where the parent of the spans was.',
);
export const SPAN_SAMPLING_RESULT = attribute(
  'otel.span.sampling_result',
  'On a metric: `DROP`, `RECORD_ONLY` or `RECORD_AND_SAMPLE`, what the sampler decided.',
);
export const EVENTLOOP_UTILIZATION = metric(
  'nodejs.eventloop.utilization',
  'The share of time that the event loop works.',
);
export const EVENTLOOP_DELAYS = {
  min: metric('nodejs.eventloop.delay.min', 'The least delay of the event loop, in seconds.'),
  max: metric('nodejs.eventloop.delay.max', 'The greatest delay of the event loop, in seconds.'),
  mean: metric('nodejs.eventloop.delay.mean', 'The mean delay of the event loop, in seconds.'),
  stddev: metric('nodejs.eventloop.delay.stddev', 'The standard deviation of the event loop’s delay, in seconds.'),
  p50: metric('nodejs.eventloop.delay.p50', 'The median delay of the event loop, in seconds.'),
  p90: metric('nodejs.eventloop.delay.p90', 'The 90th percentile of the event loop’s delay, in seconds.'),
  p99: metric('nodejs.eventloop.delay.p99', 'The 99th percentile of the event loop’s delay, in seconds.'),
} as const;
export const EVENTLOOP_TIME = metric(
  'nodejs.eventloop.time',
  'How long the event loop has been in each state, in seconds.',
);
export const EVENTLOOP_STATE = attribute('nodejs.eventloop.state', 'The state of the event loop: active or idle.');
export const HEAP_SPACE_SIZE = metric('v8js.memory.heap.space.size', 'The size of each space of the heap, in bytes.');
export const HEAP_LIMIT = metric(
  'v8js.memory.heap.limit',
  'The size of each space of the heap, in bytes: the earlier name of v8js.memory.heap.space.size.',
);
export const HEAP_USED = metric('v8js.memory.heap.used', 'What is used of each space of the heap, in bytes.');
export const HEAP_SPACE_AVAILABLE = metric(
  'v8js.memory.heap.space.available_size',
  'What is free in each space of the heap, in bytes.',
);
export const HEAP_SPACE_PHYSICAL = metric(
  'v8js.memory.heap.space.physical_size',
  'The memory that each space of the heap really takes, in bytes.',
);
export const HEAP_SPACE_NAME = attribute('v8js.heap.space.name', 'The space of the heap that a measurement is of.');
export const ACTIVE_RESOURCES = metric(
  'v8js.resource.active',
  'What keeps the event loop alive: timers, sockets, requests to the file system.',
);
export const RESOURCE_TYPE = attribute('v8js.resource.type', 'The type of what keeps the event loop alive.');
export const GC_DURATION = metric('v8js.gc.duration', 'How long garbage collections take, in seconds.');
export const GC_TYPE = attribute(
  'v8js.gc.type',
  'The type of a garbage collection: major, minor, incremental or weakcb.',
);
