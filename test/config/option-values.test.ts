import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { inspect } from 'node:util';
import { attributesSettled, awaitedAttributes, knownAttributes, schemaUrlOf } from '#src/config/configured-resource.js';
import { parseHeaders } from '#src/config/headers.js';
import { resolveConfig } from '#src/config/resolve.js';
import type { TracingConfig } from '#src/config/types.js';
import { tempDir } from '../process/temp-dir.js';

const resolve = (config: unknown = {}, env: Record<string, string> = {}) => resolveConfig(config as TracingConfig, env);

/** A Resource of the SDK's second line; `merge` is how it is told from plain attributes. */
const resource = (attributes: object) => ({ attributes, merge: () => {}, getRawAttributes: () => [] });

const RIGHT: [option: string, ...values: unknown[]][] = [
  ['resource', { a: 'x', b: 1, c: true, d: undefined, e: [], f: ['x', null, 'y'], g: [undefined, 1] }, resource({})],
  ['instrumentations', 'auto', 'none', () => []],
  ['spanLimits.attributeValueLengthLimit', 0, 12, Number.POSITIVE_INFINITY],
  ['listen', 0, { port: 80, backlog: 1 }, { path: '/run/app.sock' }],
  ['http.trustProxy', true, false, 0, 2, ['10.0.0.0/8', '::1', 'fd00::/8']],
  ['http.responseHeader', false, 'traceresponse', 'traceparent'],
  ['http.excludeUrls', ['/health', /x/y]],
  ['export.headers', {}, { 'x-key': 'v' }, () => ({})],
  ['journal.segmentBytes', 8192, 1 << 20],
  ['workers', undefined],
];

test('every kind of value that an option takes is taken', () => {
  for (const [option, ...values] of RIGHT) {
    for (const value of values) resolve(at(option, value));
  }
});

const WRONG: [option: string, expected: RegExp, ...values: unknown[]][] = [
  ['resource', /an object of attributes or a Resource/, 'service=x', null, ['a']],
  ['resource.a', /a string, number, boolean or an array/, null, {}, 1n, [{}], [undefined, {}], [['x']], ['x', 1]],
  ['instrumentations', /'auto', 'none' or a function/, 'some', 1, []],
  ['spanLimits.attributeValueLengthLimit', /or Infinity/, -1, 1.5, '12', Number.NEGATIVE_INFINITY],
  ['listen', /a port from 0 to 65535/, -1, 1.5, null, '80', { port: 'x' }],
  ['http.trustProxy', /number of proxies|addresses|IP address/, -1, 'all', null, [1], ['10.0.0/8'], ['10.0.0.0/33']],
  ['http.responseHeader', /false, 'traceresponse' or 'traceparent'/, true, 'server-timing', null],
  ['http.excludeUrls', /array of strings and RegExps|a RegExp/, '/health', [1], ['(']],
  ['http.captureHeaders.request', /an array of header names|a header name/, 'x-key', ['x key'], [1]],
  ['http.captureHeaders.sanitize', /./, [/x/], ['('], 'x'],
  ['export.headers', /an object of strings, the path of a file, or a function/, '', null, 1, ['a: b']],
  ['export.headers.x', /a string/, 1, undefined],
  ['journal.segmentBytes', /a multiple of 4096 from 8192/, 4096, 8193, 8192.5, '8192'],
  ['spanProcessors', /a function/, [], {}],
  ['serviceName', /a non-empty string/, '  ', 1, null],
];

test('a value that an option does not take stops the start: the error names the option and what it takes', () => {
  for (const [option, expected, ...values] of WRONG) {
    for (const value of values) {
      assert.throws(
        () => resolve(at(option, value)),
        ({ code, message }: Error & { code?: string }) => {
          assert.equal(code, 'FORKTRACE_CONFIG_INVALID', message);
          assert.ok(message.includes(`Option ${option.split('.')[0]}`), message);
          return expected.test(message);
        },
        `${option} = ${inspect(value)}`,
      );
    }
  }
});

/** A config with a value at a dotted path. */
function at(path: string, value: unknown): object {
  return path.split('.').reduceRight<unknown>((below, name) => ({ [name]: below }), value) as object;
}

test('which proxies are trusted: all, so many, or those of addresses and networks of both families', () => {
  const trusts = (trustProxy: unknown) => resolve({ http: { trustProxy } }).http.trustProxy;
  assert.equal(trusts(0), undefined);
  assert.equal(trusts(true)!('203.0.113.9', 9), true);
  const two = trusts(2)!;
  assert.deepEqual([two('1.2.3.4', 0), two('1.2.3.4', 1), two('1.2.3.4', 2)], [true, true, false]);
  const listed = trusts(['192.0.2.1', '10.0.0.0/8', 'fd00::/8', '::1'])!;
  for (const address of ['192.0.2.1', '10.255.0.1', 'fd12::1', '::1']) assert.equal(listed(address, 0), true, address);
  for (const address of ['192.0.2.2', '11.0.0.1', '2001:db8::1', 'localhost', '']) {
    assert.equal(listed(address, 0), false, address);
  }
});

test('headers of a file: one per line, comments and empty lines do not count, a line that is none is named', async (t) => {
  const parsed = parseHeaders('# a comment\n\nauthorization: Bearer a=b\r\n  x-key = v \n');
  assert.deepEqual(parsed, { authorization: 'Bearer a=b', 'x-key': 'v' });
  for (const line of ['no separator', ': v', 'te: x', 'x: é']) {
    assert.throws(() => parseHeaders(`a: b\n${line}`), /^Error: line 2 is no header that can be sent: expected /);
  }
  const file = join(await tempDir(t), 'headers');
  writeFileSync(file, 'x-key: v\n');
  const fixed = { OTEL_EXPORTER_OTLP_HEADERS: 'a=1' };
  const read = resolve({ export: { headers: file } }, fixed).export;
  assert.deepEqual(
    [read.headers, read.headersFrom],
    [
      { a: '1', 'x-key': 'v' },
      { fixed: { a: '1' }, file },
    ],
  );
  const call = () => ({});
  assert.deepEqual(resolve({ export: { headers: call } }, fixed).export.headersFrom, { fixed: { a: '1' }, call });
  assert.throws(() => resolve({ export: { headers: `${file}x` } }), /export\.headers: got the file .*\(ENOENT\)/);
  writeFileSync(file, 'secret');
  assert.throws(
    () => resolve({ export: { headers: file } }),
    (error: Error) => {
      return /\(line 1 is no header/.test(error.message) && !error.message.includes('secret');
    },
  );
  const certificate = { export: { tls: { ca: file } } };
  assert.throws(() => resolve(certificate), /export\.tls\.ca: got ".*", which is no PEM file, expected a PEM file/);
});

/** What comes of a config and an environment: where it goes, and the URL. */
const PLACES: [signal: 'traces' | 'metrics' | 'logs', config: object, env: Record<string, string>, ...string[]][] = [
  ['traces', {}, { OTEL_TRACES_EXPORTER: 'none' }, 'none'],
  ['traces', {}, { OTEL_TRACES_EXPORTER: 'console,otlp' }, 'otlp-grpc', 'http://localhost:4317'],
  [
    'traces',
    { export: { url: 'http://c:9' } },
    { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' },
    'otlp-http',
    'http://c:9/v1/traces',
  ],
  ['traces', { export: { url: 'unix:///run/otlp' } }, {}, 'otlp-grpc', 'unix:///run/otlp'],
  ['traces', { export: { url: 'unix:///run/otlp', to: 'otlp-http' } }, {}, 'otlp-http', 'unix:///run/otlp'],
  ['metrics', { metrics: { url: 'http://m/x' } }, {}, 'otlp-http', 'http://m/x'],
  ['metrics', { metrics: true }, { OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'grpc' }, 'otlp-grpc', 'http://localhost:4317'],
  ['metrics', {}, { OTEL_METRICS_EXPORTER: 'otlp', FORKTRACE_EXPORT: 'console' }, 'otlp-grpc', 'http://localhost:4317'],
  [
    'metrics',
    {},
    { OTEL_METRICS_EXPORTER: 'console,otlp', FORKTRACE_EXPORT: 'console' },
    'otlp-grpc',
    'http://localhost:4317',
  ],
  ['logs', { logs: true }, { OTEL_LOGS_EXPORTER: 'console' }, 'console'],
  ['logs', { logs: { url: 'http://l:4318' } }, {}, 'otlp-http', 'http://l:4318/v1/logs'],
  ['logs', { logs: { url: 'http://l:9' } }, { OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'grpc' }, 'otlp-grpc', 'http://l:9'],
  ['logs', {}, { OTEL_LOGS_EXPORTER: 'otlp', FORKTRACE_EXPORT: 'console' }, 'otlp-grpc', 'http://localhost:4317'],
  [
    'logs',
    { logs: true },
    { OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: 'http://l/x', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' },
    'otlp-http',
    'http://l/x',
  ],
];

test('a signal goes where its own option or variable says, else where that of all does, else beside the spans', () => {
  for (const [signal, config, env, ...place] of PLACES) {
    const resolved = resolve(config, env);
    const to = { traces: resolved.export, metrics: resolved.metrics?.export, logs: resolved.export.logs }[signal];
    assert.deepEqual([to?.to, to?.url].slice(0, place.length), place, `${signal}: ${JSON.stringify([config, env])}`);
  }
});

test('none beside other exporters is warned about, and the others are used', () => {
  const warned = mock.method(process, 'emitWarning', () => {});
  try {
    assert.equal(resolve({}, { OTEL_TRACES_EXPORTER: 'none,console' }).export.to, 'console');
    assert.match(String(warned.mock.calls[0]?.arguments[0]), /OTEL_TRACES_EXPORTER: got none beside others/);
  } finally {
    warned.mock.restore();
  }
});

test('a Resource is read whether its attributes are there, on their way, or those of the first SDK line', async () => {
  const ready = { ...resource({ a: 'x' }), schemaUrl: 'https://opentelemetry.io/schemas/1.30.0' };
  assert.deepEqual([knownAttributes(ready as never), schemaUrlOf(ready as never)], [{ a: 'x' }, ready.schemaUrl]);
  assert.equal(attributesSettled(ready as never), undefined);
  assert.deepEqual([knownAttributes(undefined), knownAttributes({ a: 1 }), schemaUrlOf({ a: 1 })], [{}, { a: 1 }, '']);

  const coming = Promise.resolve('late');
  const pending = {
    ...resource({}),
    asyncAttributesPending: true,
    getRawAttributes: () => [
      ['a', 'x'],
      ['a', 'later one'],
      ['b', undefined],
      ['c', coming],
    ],
    waitForAsyncAttributes: () => Promise.reject(new Error('a detector failed')),
  };
  assert.deepEqual(knownAttributes(pending as never), { a: 'x' });
  assert.deepEqual(awaitedAttributes(pending as never), { c: coming });
  assert.equal(await attributesSettled(pending as never), undefined);

  // SDK 1.x has no raw attributes.
  const first = { attributes: {}, merge: () => {}, asyncAttributesPending: true };
  assert.deepEqual([knownAttributes(first as never), awaitedAttributes(first as never)], [{}, {}]);
  assert.equal(await attributesSettled(first as never), undefined);
});
