import assert from 'node:assert/strict';
import { chownSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ControlClient } from '#src/coordinator/control-client.js';
import { MAX_CONTROL_BODY_BYTES } from '#src/coordinator/control-protocol.js';
import { RunningCluster, until } from './running-cluster.js';

/** A raw connection, to say what no client of ours would. */
class Raw {
  text = '';
  closed = false;
  readonly #socket: Socket;

  constructor(cluster: RunningCluster) {
    this.#socket = connect(join(cluster.runDir, `${cluster.pid}.sock`));
    this.#socket.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.closed = true;
    });
  }

  write(data: string | Uint8Array): void {
    this.#socket.write(data);
  }

  close(): void {
    this.#socket.destroy();
  }
}

test('the control socket is its owner’s alone, and gone with the coordinator', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  const socket = join(cluster.runDir, `${cluster.pid}.sock`);
  assert.equal(statSync(cluster.runDir).mode & 0o777, 0o700);
  assert.equal(statSync(socket).mode & 0o777, 0o600);
  cluster.process.kill('SIGTERM');
  await cluster.end();
  assert.deepEqual(readdirSync(cluster.runDir), []);
});

/** One request, and what answers it. */
function ask(cluster: RunningCluster, method: string, path: string, body = '') {
  return new Promise<{ status: number; answer: { error?: { code: string; message: string }; pid?: number } }>(
    (resolve, reject) => {
      const socketPath = join(cluster.runDir, `${cluster.pid}.sock`);
      request({ socketPath, method, path, agent: false, headers: { host: 'localhost' } }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode!, answer: JSON.parse(text) });
      })
        .on('error', reject)
        .end(body);
    },
  );
}

test('what is no request of ours is answered with an error and a code, and the cluster goes on', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  const wrong: [string, string, string?][] = [
    ['GET', '/'],
    ['GET', '/reload'],
    ['POST', '/status'],
    ['POST', '/explode'],
    ['DELETE', '/stop'],
    ['POST', '/scale'],
    ['POST', '/scale', '{'],
    ['POST', '/scale', '[]'],
    ['POST', '/scale', 'null'],
    ['POST', '/scale', '{"workers":"many"}'],
    ['POST', '/kill', '{"slot":1.5}'],
    ['POST', '/scale', 'x'.repeat(MAX_CONTROL_BODY_BYTES + 1)],
  ];
  for (const [method, path, body] of wrong) {
    const { status, answer } = await ask(cluster, method, path, body);
    assert.deepEqual([status, answer.error?.code], [400, 'FORKTRACE_CONTROL_REQUEST'], `${method} ${path}`);
  }
  assert.equal((await ask(cluster, 'POST', '/scale', '{"workers":0}')).answer.error?.code, 'FORKTRACE_CONFIG_INVALID');
  assert.equal((await ask(cluster, 'POST', '/kill', '{"slot":9}')).answer.error?.code, 'FORKTRACE_NO_WORKER');
  assert.equal((await ask(cluster, 'GET', '/status')).answer.pid, cluster.pid);
});

test('whatever the body of a request is, it is answered', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  const bodies = fc.sample(fc.oneof(fc.string(), fc.json()), 60);
  for (const body of bodies) {
    for (const path of ['/kill', '/nothing']) {
      const { status, answer } = await ask(cluster, 'POST', path, body);
      assert.ok(status >= 400 && answer.error?.code.startsWith('FORKTRACE_'), `${path} ${body}`);
    }
  }
  assert.equal((await cluster.stats()).ready, 1);
});

test('a client does not ask a socket of another user', async (t) => {
  // Only root can give a file away; another uid is what lstat says of it.
  if (process.getuid!() !== 0) return;
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  chownSync(join(cluster.runDir, `${cluster.pid}.sock`), 12_345, 12_345);
  assert.throws(() => new ControlClient(cluster.pid, cluster.runDir), {
    code: 'FORKTRACE_NO_COORDINATOR',
    message: /belongs to user 12345/,
  });
});

test('random bytes on many connections do no harm', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  const garbage = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 6000 }), 60);
  for (let at = 0; at < garbage.length; at += 10) {
    const raws = garbage.slice(at, at + 10).map((bytes) => {
      const raw = new Raw(cluster);
      raw.write(bytes);
      raw.write('\r\n\r\n');
      return raw;
    });
    await Promise.all(raws.map((raw) => until('an answer or the end', () => raw.text !== '' || raw.closed)));
    for (const raw of raws) raw.close();
  }
  assert.equal((await cluster.stats()).ready, 1);
});

test('a socket that a dead coordinator left is removed by the next', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  // Beyond the largest pid that Linux gives out.
  writeFileSync(join(cluster.runDir, '4194305.sock'), '');
  const second = await RunningCluster.ready(t, { workers: 1 }, { env: { FORKTRACE_RUN_DIR: cluster.runDir } });
  assert.deepEqual(readdirSync(cluster.runDir).sort(), [`${cluster.pid}.sock`, `${second.pid}.sock`].sort());
});
