/**
 * A coordinator's answers as a client takes them, whatever they are: a server of the test's own gives them.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type TestContext, test } from 'node:test';
import { ControlClient } from '#src/coordinator/control-client.js';
import { controlAddress } from '#src/process/run-directory.js';
import { tempDir } from '../process/temp-dir.js';

const PID = 4711;

async function clientOf(t: TestContext, answer: RequestListener): Promise<ControlClient> {
  const dir = await tempDir(t);
  const server = createServer(answer).listen(controlAddress(PID, dir));
  await once(server, 'listening');
  const client = new ControlClient(PID, dir);
  t.after(() => {
    client.close();
    server.closeAllConnections();
    server.close();
  });
  return client;
}

test('what is no answer of a coordinator is said as such', async (t) => {
  const bodies = { 'a web page': '<html>', nothing: '', 'too much': `"${'x'.repeat(5 * 2 ** 20)}"` };
  for (const [what, body] of Object.entries(bodies)) {
    const client = await clientOf(t, (_, response) => response.end(body));
    const message = /pid 4711 does not answer/;
    await assert.rejects(client.ask('status'), { code: 'FORKTRACE_NO_COORDINATOR', message }, what);
  }
  const gone = await clientOf(t, (request) => request.socket.destroy());
  await assert.rejects(gone.ask('status'), { code: 'FORKTRACE_NO_COORDINATOR' });
});

test('an error without a code or a message has one', async (t) => {
  for (const body of ['{}', 'null', '7', '"no"', '[]', '{"error":null}', '{"error":"no"}']) {
    const client = await clientOf(t, (_, response) => response.writeHead(503).end(body));
    await assert.rejects(client.ask('reload'), { code: 'FORKTRACE_CONTROL', message: 'status 503' }, body);
  }
});

test('an error of the coordinator has its code and message', async (t) => {
  const error = { code: 'FORKTRACE_NO_WORKER', message: 'slot 7' };
  const client = await clientOf(t, (_, response) => response.writeHead(409).end(JSON.stringify({ error })));
  await assert.rejects(client.ask('kill', { slot: 7 }), error);
});

test('no text of an answer reaches the terminal with control characters', async (t) => {
  const answer = {
    serviceName: 'shop\u001b]0;title\u0007',
    workers: [{ lastExit: { cause: 'a\u001b[31m' } }, 1, null],
  };
  const client = await clientOf(t, (_, response) => response.end(JSON.stringify(answer)));
  const taken = JSON.stringify(await client.ask('status'));
  assert.doesNotMatch(taken, /\\u00/);
  assert.match(taken, /shop.*title.*a.*31m.*1,null/);
});

test('a pid without a socket is said', async (t) => {
  const dir = await tempDir(t);
  const message = /has no socket at/;
  assert.throws(() => new ControlClient(PID, dir), { code: 'FORKTRACE_NO_COORDINATOR', message });
});
