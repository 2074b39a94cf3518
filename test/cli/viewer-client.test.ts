// What the command line asks a viewer.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { ViewerClient } from '#src/cli/viewer-client.js';

async function viewer(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('a viewer is asked below its address, with its token, and what it does not have is undefined', async (t) => {
  const asked: (string | undefined)[] = [];
  const url = await viewer(t, ({ url: path, headers }, response) => {
    asked.push(path, headers.authorization);
    response.statusCode = path === '/proxy/api/traces/1' ? 404 : 200;
    response.setHeader('content-type', 'application/json').end('{"n":1}');
  });
  const client = new ViewerClient(`${url}/proxy/`, 'secret');
  assert.deepEqual(await client.get('routes'), { n: 1 });
  assert.equal(await client.get('traces/1'), undefined);
  assert.deepEqual(await new ViewerClient(url, undefined).get('routes'), { n: 1 });
  const proxied = ['/proxy/api/routes', 'Bearer secret', '/proxy/api/traces/1', 'Bearer secret'];
  assert.deepEqual(asked, [...proxied, '/api/routes', undefined]);
});

test('what is no viewer, or answers as none, is named with what it said', async (t) => {
  const page = await viewer(t, (_, response) => response.setHeader('content-type', 'text/html').end('<html>'));
  const ill = await viewer(t, (_, response) =>
    response.writeHead(500, { 'content-type': 'application/json' }).end('{}'),
  );
  const gone = await viewer(t, (request) => request.socket.destroy());
  for (const [url, reason] of [
    [page, /it answers 200, and no JSON/],
    [ill, /it answers 500/],
    [gone, /other side closed|socket hang up|ECONNRESET/],
    ['nonsense', /parse URL|Invalid URL/i],
  ] as const) {
    await assert.rejects(new ViewerClient(url, undefined).get('routes'), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'FORKTRACE_NO_VIEWER');
      assert.match(error.message, reason);
      return true;
    });
  }
});
