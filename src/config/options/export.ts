/** @module Options of the way that spans leave. */
import type { SpanExporter } from '../../sdk/types.js';
import { headers } from '../headers.js';
import { callback, choice, flag, port, text, timeout, whole } from '../kinds.js';
import { group, option, toggle } from '../option.js';

export const destinations = ['otlp-grpc', 'otlp-http', 'console', 'none', 'viewer'] as const;

export const exporting = {
  pipeline: option(choice('journal', 'batch'), {
    about: "How spans leave a worker: the crash-safe journal, or the SDK's BatchSpanProcessor.",
    variable: 'FORKTRACE_PIPELINE',
    otherwise: '`batch` with an `exporter`, else `journal`',
  }),
  export: group(
    'ExportConfig',
    'Where spans are sent: for the shipper (`journal`) and the exporter in the worker (`batch`).',
    {
      to: option(choice(...destinations), {
        about: 'The destination. `viewer` is the embedded receiver with a web page.',
        variable: 'FORKTRACE_EXPORT',
        otherwise:
          'OTEL_TRACES_EXPORTER, else the protocol of the configured endpoint, else `viewer`, or `otlp-grpc` with `NODE_ENV=production`',
      }),
      url: option(text, {
        about:
          'The endpoint. gRPC: `http(s)://host:port`, or `host:port`, which is TLS unless `tls.insecure`. HTTP: the full URL; one without a path gets `/v1/traces`.',
        otherwise: '`http://localhost:4317` (gRPC), `http://localhost:4318/v1/traces` (HTTP)',
      }),
      headers: option(headers, {
        about:
          'Headers that are sent with every export, in addition to those of the environment; for the same name this option wins. A path names a file with one `name: value` on each line. The file is read, or the function called, again every 10 seconds, so that tokens can rotate. Names and values consist of visible ASCII and spaces, which HTTP and gRPC can send.',
        secret: true,
      }),
      compression: option(choice('none', 'gzip'), {
        about: 'How export requests are compressed.',
        otherwise: '`none`',
      }),
      timeoutMs: option(timeout, {
        about: 'How long one export request may take, from its first byte to the last one of the answer.',
        unit: 'ms',
        otherwise: '10000',
      }),
      maxRequestBytes: option(whole(65_536, 67_108_864), {
        about:
          'Most bytes of one request of the shipper, before compression. A smaller limit of the endpoint is found out, and larger requests are tried again at growing intervals.',
        variable: 'FORKTRACE_EXPORT_MAX_REQUEST_BYTES',
        unit: 'bytes',
        default: 2_097_152,
      }),
      gatherMs: option(whole(0, 60_000), {
        about:
          'How long ended spans wait in the journal, so that several are sent in one request. A full request is sent at once. Fewer requests cost the shipper and the endpoint less.',
        variable: 'FORKTRACE_EXPORT_GATHER_MS',
        unit: 'ms',
        otherwise: '1000; 300 to `viewer` and `console`',
      }),
      tls: group('ExportTls', 'Certificates of OTLP connections. Files are read anew every 10 seconds.', {
        ca: option(text, {
          about: "PEM, or the path of a PEM file: the authority that signs the endpoint's certificate.",
          otherwise: "the system's",
        }),
        cert: option(text, { about: "PEM, or the path of a PEM file: the client's certificate." }),
        key: option(text, { about: "PEM, or the path of a PEM file: the client's key.", secret: true }),
        insecure: option(flag, {
          about: 'Whether a gRPC `url` without a scheme is plain text, without TLS.',
          otherwise: '`false`',
        }),
      }),
    },
  ),
  exporter: option(callback<() => SpanExporter>('() => SpanExporter', 'a function that returns a SpanExporter'), {
    about:
      "Makes the exporter, instead of `export`. Implies `pipeline: 'batch'`; with `pipeline: 'journal'` it is an error.",
  }),
  viewer: toggle(
    'ViewerConfig',
    {
      about: 'Whether the coordinator starts the viewer. If a port is taken, the viewer tries the next ones.',
      variable: 'FORKTRACE_VIEWER',
      otherwise: '`true` when spans go to `viewer`',
    },
    {
      httpPort: option(port, {
        about: 'The port of the page and of OTLP/HTTP.',
        variable: 'FORKTRACE_VIEWER_HTTP_PORT',
        default: 4318,
      }),
      grpcPort: option(port, {
        about: 'The port of OTLP/gRPC.',
        variable: 'FORKTRACE_VIEWER_GRPC_PORT',
        default: 4317,
      }),
    },
  ),
};
