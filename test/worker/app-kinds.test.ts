import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { get } from 'node:http';
import { connect } from 'node:http2';
import { get as getSecure } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

async function body(kind: string, port: number): Promise<string> {
  if (kind === 'http2') {
    const session = connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': '/items/7' });
    let text = '';
    for await (const chunk of stream) text += chunk;
    session.close();
    return text;
  }
  return new Promise((resolve, reject) => {
    const request = kind === 'https' ? getSecure : get;
    request({ port, host: '127.0.0.1', path: '/items/7', rejectUnauthorized: false }, async (response) => {
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve(text);
    }).on('error', reject);
  });
}

for (const kind of ['listener', 'http', 'https', 'http2', 'express', 'koa', 'fastify', 'hono', 'fetch']) {
  test(`an app that is ${kind} is served and traced, and hooks run in their order`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const port = await freePort();
    const env: Record<string, string> = { APP_KIND: kind, pm_id: '3', NODE_APP_INSTANCE: '3' };
    if (kind === 'https') {
      const dir = await tempDir(t);
      env.TLS_KEY = join(dir, 'key.pem');
      env.TLS_CERT = join(dir, 'cert.pem');
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'].concat(
          ['-keyout', env.TLS_KEY],
          ['-out', env.TLS_CERT],
        ),
        { stdio: 'ignore' },
      );
    }
    const listen = { port, host: '127.0.0.1' };
    const config = { pipeline: 'batch', listen, export: { to: 'otlp-http', url: endpoint.httpUrl } };
    const program = runProgram(t, fixture('app-kind'), { env: { ...env, CONFIG: JSON.stringify(config) } });
    await program.waitForOutput(/workerReady/);
    assert.equal(await body(kind, port), 'hello');
    program.kill('SIGTERM');
    assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' });

    const [span] = await endpoint.waitForSpans(1);
    assert.equal(span!.attributes['http.response.status_code'], 200);
    assert.equal(span!.attributes['url.path'], '/items/7');
    const routed = ['express', 'fastify', 'hono'].includes(kind);
    assert.equal(span!.name, routed ? 'GET /items/:id' : 'GET');
    assert.equal(span!.resource['cluster.manager'], 'pm2');
    assert.equal(span!.resource['cluster.worker.slot'], 3);
    assert.deepEqual(program.stdout.trim().split('\n'), [
      'postFork',
      'workerReady',
      'aborted',
      'workerStopping signal',
      'shutdown function',
      'workerExit',
    ]);
  });
}

test('an app that is none of these stops the start, and the error says what it was', async (t) => {
  const config = { pipeline: 'batch', export: { to: 'none' }, listen: { port: 0 } };
  const env = { APP_KIND: 'nothing', pm_id: '0', CONFIG: JSON.stringify(config) };
  const program = runProgram(t, fixture('app-kind'), { env });
  assert.equal((await program.waitForExit()).code, 1);
  assert.match(program.stderr, /FORKTRACE_APP_UNSUPPORTED/);
  assert.match(program.stderr, /returned undefined, expected a request listener/);
});
