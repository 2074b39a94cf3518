import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
/** Says that a slow request has arrived, and lets it wait. */
const waits = `const waits = (path) => path.endsWith('/slow') && (console.log('arrived'), new Promise((resolve) => setTimeout(resolve, 700)));\n`;
const answer = 'async (request, response) => { await waits(request.url); response.end("hello"); }';
const imports = (name: string, variable = name) =>
  `import ${variable} from ${JSON.stringify(import.meta.resolve(name))};\n`;

/** Module texts; PORT is where the app is expected to serve. */
const itself: Record<string, string> = {
  'a request listener': `export default (request, response) => void (${answer})(request, response);`,
  'an async request listener': `export default ${answer};`,
  'a server': `import { createServer } from 'node:http';\nexport default createServer(${answer});`,
  'an Express app': `${imports('express')}export default express().use(${answer});`,
  'a Koa app': `${imports('koa', 'Koa')}export default new Koa().use(async (context) => {
    await waits(context.path);
    context.body = 'hello';
  });`,
  'a Fastify app': `${imports('fastify')}export default fastify().get('/*', async (request) => {
    await waits(request.url);
    return 'hello';
  });`,
  '{ fetch }': `export default { async fetch(request) {
    await waits(request.url);
    return new Response('hello');
  } };`,
};

const listening: Record<string, string> = {
  'a server': `import { createServer } from 'node:http';\nexport default () => createServer(${answer}).listen(OWN);`,
  'an Express app': `${imports('express')}export default () => { const app = express().use(${answer}); app.listen(OWN); return app; };`,
  'a Koa app': `${imports('koa', 'Koa')}export default () => { const app = new Koa().use(async (context) => {
    await waits(context.path);
    context.body = 'hello';
  }); app.listen(OWN); return app; };`,
  'a Fastify app': `${imports('fastify')}export default async () => { const app = fastify(); app.get('/*', async (request) => {
    await waits(request.url);
    return 'hello';
  }); await app.listen({ port: OWN, host: '127.0.0.1' }); return app; };`,
};

interface Run {
  program: Program;
  endpoint: OtlpEndpoint;
}

async function run(t: TestContext, app: string, port: number): Promise<Run> {
  const endpoint = await OtlpEndpoint.start(t);
  const path = join(await tempDir(t), 'app.mjs');
  writeFileSync(path, app.replace(/^(?!import )/m, waits));
  const program = runProgram(t, cli, {
    args: ['run', path, '-w', '1', '-p', String(port)],
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl, FORKTRACE_EXPORT: 'otlp-grpc' },
  });
  await program.waitForOutput(/serving at/);
  return { program, endpoint };
}

function body(host: string, port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host, port, path, agent: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(text);
    }).on('error', reject);
  });
}

/** Served, traced, and drained at SIGTERM, on each of the addresses. */
async function isServedWell({ program, endpoint }: Run, addresses: [host: string, port: number][]): Promise<void> {
  for (const [host, port] of addresses) assert.equal(await body(host, port, '/'), 'hello', `${host} ${port}`);
  const slow = addresses.map(([host, port]) => body(host, port, '/slow'));
  await program.waitForOutput(new RegExp('(arrived(.|\n)*)'.repeat(addresses.length)));
  program.kill('SIGTERM');
  assert.deepEqual(
    await Promise.all(slow),
    addresses.map(() => 'hello'),
  );
  assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' }, program.output);
  const spans = await endpoint.waitForSpans(
    (spans) => spans.filter(({ kind }) => kind === 2).length >= 2 * addresses.length,
  );
  assert.equal(spans.filter(({ kind }) => kind === 2).length, 2 * addresses.length);
}

for (const [kind, app] of Object.entries(itself)) {
  test(`a module that default-exports ${kind} itself, not a factory, is served`, async (t) => {
    const port = await freePort();
    await isServedWell(await run(t, app, port), [['127.0.0.1', port]]);
  });
}

for (const [kind, app] of Object.entries(listening)) {
  test(`a factory that returns ${kind} that listens already: it keeps its port`, async (t) => {
    const [port, other] = [await freePort(), await freePort()];
    const served = await run(t, app.replaceAll('OWN', String(port)), other);
    assert.match(served.program.stderr, new RegExp(`serving at http://(localhost|127.0.0.1):${port} `));
    await served.program.waitForOutput(/FORKTRACE_LISTEN_IGNORED/);
    await isServedWell(served, [['127.0.0.1', port]]);
    await assert.rejects(body('127.0.0.1', other, '/'));
  });
}

test('a second server that the app starts is traced and drained as the first', async (t) => {
  const [port, second] = [await freePort(), await freePort()];
  const app = `import { createServer } from 'node:http';
    export default () => { createServer(${answer}).listen(${second}, '127.0.0.1'); return ${answer}; };`;
  await isServedWell(await run(t, app, port), [
    ['127.0.0.1', port],
    ['127.0.0.1', second],
  ]);
});

test('Fastify on localhost serves, traces and drains on each address that localhost has', async (t) => {
  const port = await freePort();
  const hasIpv6 = Object.values(networkInterfaces()).some((of) => of?.some(({ address }) => address === '::1'));
  const addresses = ['127.0.0.1', hasIpv6 ? '::1' : '127.0.0.2'];
  // What a machine answers whose localhost is both, which this one's need not be.
  const app = `import dns from 'node:dns';
    ${imports('fastify')}
    const { lookup } = dns;
    dns.lookup = (host, options, answer) => host === 'localhost' && options.all
      ? answer(null, ${JSON.stringify(addresses.map((address) => ({ address, family: isIP(address) })))})
      : lookup(host, options, answer);
    export default async () => {
      const app = fastify();
      app.get('/*', async (request) => { await waits(request.url); return 'hello'; });
      await app.listen({ port: ${port}, host: 'localhost' });
      return app;
    };`;
  await isServedWell(
    await run(t, app, port),
    addresses.map((address) => [address, port]),
  );
});
