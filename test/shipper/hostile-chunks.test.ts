import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { field } from '../journal/span-bytes.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { spanFields } from './export-request.js';
import { chunkOf, type Forged, forge, table } from './forged-file.js';
import { journalScene } from './journal-scene.js';

const MIB = 1024 * 1024;
/** More than a Collector takes. */
const LARGE = 6 * MIB;

const spanWith = (name: string, ...more: Uint8Array[]) => Buffer.concat([spanFields(name), ...more]);
const repeated = (bytes: Uint8Array, times: number) => Buffer.alloc(bytes.length * times, bytes);

/** An attribute whose value is a list in a list, and so on. */
function nested(depth: number): Buffer {
  let value: Uint8Array = Buffer.alloc(0);
  for (let n = 0; n < depth; n++) value = field(5, field(1, value));
  return field(9, Buffer.concat([field(1, Buffer.from('deep')), field(2, value)]));
}

const HOSTILE: Record<string, Forged> = {
  'values that are nested 5,000 deep': { body: chunkOf(spanWith('deep', nested(5000))) },
  'a length beyond the end of the span': { body: chunkOf(spanWith('long', Buffer.from('4affffffff07', 'hex'))) },
  'a length of 2⁶³': { body: chunkOf(spanWith('long', Buffer.from('4affffffffffffffffff01', 'hex'))) },
  'a chunk that is longer than the file': { body: Buffer.from('12ffffff0712', 'hex') },
  'groups in groups': { body: chunkOf(spanWith('groups', repeated(Buffer.from([0x7b]), 100_000))) },
  'millions of empty attributes': { body: chunkOf(spanWith('empty', repeated(Buffer.from([0x4a, 0]), LARGE / 2))) },
  'ten thousand empty spans': { body: repeated(Buffer.from([0x12, 2, 0x12, 0]), 10_000) },
  'fields twice, of other types and with numbers that nobody has': {
    body: chunkOf(
      spanWith(
        'odd',
        field(1, Buffer.alloc(3)),
        Buffer.from('30ffffffffffffffffff01', 'hex'),
        Buffer.from('f8ffffff0f01', 'hex'),
      ),
    ),
  },
  'a name of megabytes': { body: chunkOf(spanWith('x'.repeat(LARGE))) },
  'text that is no UTF-8': { body: chunkOf(spanWith('text', field(5, Buffer.from([0xff, 0xfe])))) },
  'wrong checksums': {
    body: repeated(Buffer.concat([chunkOf(spanFields('sum')), Buffer.from([0x7d, 1, 2, 3, 4])]), 5000),
    hasChecksums: true,
  },
  'a committed length of 4 GiB, of which the file has all, in zeros': {
    body: chunkOf(spanFields('first')),
    bodyLength: 0xffff_f000,
    committed: 0xffff_f000,
  },
  'a million places that start a chunk of megabytes': {
    body: repeated(Buffer.from('7a0512ffffff01', 'hex'), 600_000),
  },
  'a scope of its own for each span': {
    body: Buffer.concat(
      Array.from({ length: 10_000 }, (_, n) => chunkOf(Buffer.alloc(0), field(1, field(1, Buffer.from(`scope ${n}`))))),
    ),
  },
  'a resource that is none': { body: chunkOf(spanFields('resource')), resource: Buffer.from('0affffffff07', 'hex') },
  'entries of 25 bytes': table(25, Array(100_000).fill(Buffer.alloc(1))),
  'an entry of 16 MiB, with millions of attributes': table(16 * MIB, [repeated(Buffer.from([0x4a, 0]), 8 * MIB)]),
  'entries that are no spans': table(2048, Array(500).fill(Buffer.from('4affffffff07', 'hex'))),
  'spans that the endpoint refuses': {
    body: Buffer.concat(Array.from({ length: 70 }, () => chunkOf(spanFields('refuse me')))),
  },
};

interface Cost {
  maxRssMiB: number;
  userSeconds: number;
  refused: number;
}

test('hostile chunks, lengths, counts and tables cost no other writer a span, and the shipper bounded time and memory', async (t) => {
  const { dir, open, write } = await journalScene(t);
  // As a Collector does.
  const endpoint = await OtlpEndpoint.start(t, { maxRequestBytes: 4 * MIB });
  endpoint.answerWith({ answer: 'refuse-spans', named: /^refuse me/ });
  const dead = runProgram(t, fixture('span-writer'), { args: [dir, 'write', '100', 'dead', '3', 'wait'] });
  await dead.waitForOutput(/written/);
  dead.kill('SIGKILL');
  await dead.waitForExit();
  const journals = [open('shop'), open('till')];
  for (const journal of journals) write(journal, 100, 'before');
  for (const hostile of Object.values(HOSTILE)) for (const alive of [true, false]) forge(dir, hostile, alive);

  const shipper = runProgram(t, fixture('shipping-process'), { args: [dir, endpoint.httpUrl], ipc: true });
  const named = (name: RegExp) => endpoint.received().filter((span) => name.test(span.name)).length;
  await endpoint.waitForSpans(() => named(/^(dead|before) \d/) === 300 && named(/^dead in flight/) === 3, 150_000);
  // Its resource is to blame, not its span.
  await endpoint.waitForSpans(() => named(/^resource$/) === 2, 150_000);
  // Among what is left of them, new ones do not wait.
  for (const journal of journals) write(journal, 100, 'after');
  await endpoint.waitForSpans(() => named(/^after/) === 200, 150_000);
  await waitFor(
    () => /refused [\d,]+ span/.test(shipper.stderr) && /cannot be read/.test(shipper.stderr),
    'a word',
    150_000,
  );
  shipper.child.send('stop');
  await shipper.waitForExit(150_000);
  const cost = shipper.messages.at(-1) as Cost;
  const services = new Set(['shop', 'till']);
  const names = endpoint
    .received()
    .filter(({ resource }) => services.has(String(resource['service.name'])))
    .map(({ name, resource }) => `${resource['service.name']} ${name}`);
  assert.equal(names.length, 503);
  assert.equal(new Set(names).size, 503, 'each once');
  assert.ok(cost.maxRssMiB < 600, JSON.stringify(cost));
  assert.ok(cost.userSeconds < 120, JSON.stringify(cost));
  // What a live writer has is passed on as it is, once.
  endpoint.malformed.length = 0;
});
