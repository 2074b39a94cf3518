import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { traceServer } from 'forktrace';
import { listen, request } from './traced-server.js';

type Emit = (this: unknown, event: string, ...args: unknown[]) => boolean;

/** Wraps `emit` of all HTTP servers, as shimmer and its like do, and gives it back with the test. */
function wrapEmit(name: string, t: { after(fn: () => void): void }, seen: string[]): void {
  const prototype = http.Server.prototype as unknown as { emit: Emit };
  const before = Object.getOwnPropertyDescriptor(prototype, 'emit');
  const original = prototype.emit;
  const wrapper = {
    [name](this: unknown, event: string, ...args: unknown[]): boolean {
      if (event === 'request') seen.push(name);
      return original.call(this, event, ...args);
    },
  }[name] as Emit;
  Object.assign(wrapper, { __original: original, __wrapped: true, __unwrap: () => {} });
  prototype.emit = wrapper;
  t.after(() => {
    if (before) Object.defineProperty(prototype, 'emit', before);
    else delete (prototype as Partial<typeof prototype>).emit;
  });
}

test('wrappers of other tools around Server.emit are called, once each, and the request has its span', async (t) => {
  const seen: string[] = [];
  wrapEmit('agentEmit', t, seen);
  wrapEmit('metricsEmit', t, seen);
  const { request, span } = await listen(t, (_request, response) => response.end());
  await request('/');
  await span();
  assert.deepEqual(seen, ['metricsEmit', 'agentEmit']);
});

test("OpenTelemetry's own wrapper is stepped around when it is the outermost, and those inside of it are called", async (t) => {
  const seen: string[] = [];
  wrapEmit('metricsEmit', t, seen);
  wrapEmit('incomingRequest', t, seen);
  const { request, span } = await listen(t, (_request, response) => response.end());
  await request('/');
  await span();
  assert.deepEqual(seen, ['metricsEmit']);
});

test("OpenTelemetry's own wrapper inside of another's is used, and forktrace adds no span", async (t) => {
  const seen: string[] = [];
  wrapEmit('incomingRequest', t, seen);
  wrapEmit('metricsEmit', t, seen);
  const server = http.createServer((_request, response) => response.end());
  const { port, exporter } = await listen(t, server);
  await request(port, '/');
  assert.deepEqual(seen, ['metricsEmit', 'incomingRequest']);
  assert.equal(exporter.getFinishedSpans().length, 0);
});

test('a wrapper that is put around one traced server is called, and so is one that was there before', async (t) => {
  const seen: string[] = [];
  const wrap = (server: http.Server, name: string) => {
    const { emit } = server as { emit: Emit };
    (server as { emit: Emit }).emit = function wrapped(event, ...args) {
      if (event === 'request') seen.push(name);
      return emit.call(this, event, ...args);
    };
  };
  const server = http.createServer((_request, response) => response.end());
  wrap(server, 'before');
  const { request, span } = await listen(t, server);
  traceServer(server);
  wrap(server, 'after');
  await request('/');
  await span();
  assert.deepEqual(seen, ['after', 'before']);
});
