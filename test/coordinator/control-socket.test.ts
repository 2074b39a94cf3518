import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_REQUEST_BYTES, parseRequest } from '#src/coordinator/control-protocol.js';
import { LineSplitter } from '#src/coordinator/line-splitter.js';
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

  answer(lines = 1): Promise<string[]> {
    return until('an answer', () => {
      const whole = this.text.split('\n').slice(0, -1);
      return whole.length >= lines ? whole : undefined;
    });
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

test('what is malformed is answered with an error and a code, and the connection and the cluster go on', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  const raw = new Raw(cluster);
  t.after(() => raw.close());
  const wrong = [
    'nonsense',
    '[]',
    'null',
    '{"command":"explode"}',
    '{"id":"x","command":"status"}',
    '\u0000\u0001',
    '{',
  ];
  for (const line of wrong) raw.write(`${line}\n`);
  for (const line of await raw.answer(wrong.length)) {
    assert.equal(JSON.parse(line).error.code, 'FORKTRACE_CONTROL_REQUEST', line);
  }
  raw.write('{"id":1,"command":"scale","argument":"many"}\n');
  assert.equal(JSON.parse((await raw.answer(wrong.length + 1)).at(-1)!).error.code, 'FORKTRACE_CONFIG_INVALID');
  raw.write('{"id":7,"command":"status"}\n');
  const { id, result } = JSON.parse((await raw.answer(wrong.length + 2)).at(-1)!);
  assert.equal(id, 7);
  assert.equal(result.pid, cluster.pid);
});

test('a line without an end is cut off', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  const raw = new Raw(cluster);
  t.after(() => raw.close());
  for (let sent = 0; sent <= MAX_REQUEST_BYTES; sent += 1024) raw.write('x'.repeat(1024));
  assert.equal(JSON.parse((await raw.answer())[0]!).error.code, 'FORKTRACE_CONTROL_REQUEST');
  await until('the connection is closed', () => raw.closed);
});

test('random bytes on many connections do no harm', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  const garbage = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 6000 }), 60);
  for (let at = 0; at < garbage.length; at += 10) {
    const raws = garbage.slice(at, at + 10).map((bytes) => {
      const raw = new Raw(cluster);
      raw.write(bytes);
      // Whatever came before, this line deserves an answer.
      raw.write('\nnonsense\n');
      return raw;
    });
    await Promise.all(raws.map((raw) => until('an answer or the end', () => raw.text !== '' || raw.closed)));
    for (const raw of raws) raw.close();
  }
  assert.equal((await cluster.stats()).ready, 1);
});

test('a socket that a dead coordinator left is swept away by the next', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  // Beyond the largest pid that Linux gives out.
  writeFileSync(join(cluster.runDir, '4194305.sock'), '');
  const second = await RunningCluster.ready(t, { workers: 1 }, { env: { FORKTRACE_RUN_DIR: cluster.runDir } });
  assert.deepEqual(readdirSync(cluster.runDir).sort(), [`${cluster.pid}.sock`, `${second.pid}.sock`].sort());
});

test('parsing a request never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
      const request = parseRequest(line);
      if (typeof request !== 'string') assert.ok(['status', 'reload', 'scale', 'stop'].includes(request.command));
    }),
    { numRuns: 2000 },
  );
});

test('lines come out as they went in, however they were cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string().map((line) => line.replaceAll('\n', ''))), fc.array(fc.nat(50)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const splitter = new LineSplitter(10_000);
      const out: string[] = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        out.push(...splitter.push(bytes.subarray(at, at + cut))!);
        at += cut;
      }
      assert.deepEqual(out, lines);
    }),
  );
});
