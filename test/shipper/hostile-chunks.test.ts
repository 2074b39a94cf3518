import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeResource } from '#src/journal/encoder.js';
import {
  AT_COMMITTED,
  AT_LEASE,
  AT_LEASE_MONOTONIC,
  AT_SEALED,
  AT_SPANS,
  ENTRY_DATA,
  ENTRY_LENGTH,
  ENTRY_STATE,
  encodeHeader,
  fileName,
  type JournalHeader,
} from '#src/journal/format.js';
import { newWriterIdentity } from '#src/journal/identity.js';
import { monotonicAt } from '#src/journal/monotonic.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { field } from '../journal/span-bytes.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { spanFields } from './export-request.js';
import { journalScene } from './journal-scene.js';

const MIB = 1024 * 1024;
/** More than a Collector takes. */
const LARGE = 6 * MIB;

const chunkOf = (span: Uint8Array, scope: Uint8Array = Buffer.alloc(0)) =>
  field(2, Buffer.concat([scope, field(2, span)]));
const spanWith = (name: string, ...more: Uint8Array[]) => Buffer.concat([spanFields(name), ...more]);
const repeated = (bytes: Uint8Array, times: number) => Buffer.alloc(bytes.length * times, bytes);

/** An attribute whose value is a list in a list, and so on. */
function nested(depth: number): Buffer {
  let value: Uint8Array = Buffer.alloc(0);
  for (let n = 0; n < depth; n++) value = field(5, field(1, value));
  return field(9, Buffer.concat([field(1, Buffer.from('deep')), field(2, value)]));
}

interface Forged {
  kind?: 'segment' | 'in-flight';
  body: Uint8Array;
  bodyLength?: number;
  /** What the header says is committed. */
  committed?: number;
  entryBytes?: number;
  resource?: Uint8Array;
  hasChecksums?: boolean;
}

/** A table whose entries are all in flight. */
function table(entryBytes: number, entries: number, fields: Uint8Array): Forged {
  const body = Buffer.alloc(entryBytes * entries);
  for (let at = 0; at < body.length; at += entryBytes) {
    body.writeUInt32LE(1, at + ENTRY_STATE);
    body.writeUInt32LE(Math.min(fields.length, entryBytes - ENTRY_DATA), at + ENTRY_LENGTH);
    body.set(fields.subarray(0, entryBytes - ENTRY_DATA), at + ENTRY_DATA);
  }
  return { kind: 'in-flight', body, entryBytes };
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
  'entries of 25 bytes': table(25, 100_000, Buffer.alloc(1)),
  'an entry of 16 MiB, with millions of attributes': table(16 * MIB, 1, repeated(Buffer.from([0x4a, 0]), 8 * MIB)),
  'entries that are no spans': table(2048, 500, Buffer.from('4affffffff07', 'hex')),
  'spans that the endpoint refuses': {
    body: Buffer.concat(Array.from({ length: 300 }, () => chunkOf(spanFields('refuse me')))),
  },
};

/** Writes a file as a writer would leave it, that lives if `alive`. */
function forge(dir: string, hostile: Forged, alive: boolean): void {
  const { kind = 'segment', body, bodyLength = body.length, committed = body.length } = hostile;
  const writer = { ...newWriterIdentity(0), ...(!alive && { pid: 0x7fff_fff0 }) };
  const header: Omit<JournalHeader, 'headerLength'> = {
    kind,
    bodyLength,
    sequence: 1,
    writer,
    createdMs: Date.now(),
    entryBytes: hostile.entryBytes ?? 0,
    resource: hostile.resource ?? encodeResource({ 'service.name': 'hostile' }),
    schemaUrl: '',
    isResourcePending: false,
    hasChecksums: hostile.hasChecksums === true,
  };
  const bytes = Buffer.from(encodeHeader(header));
  bytes.writeUInt32LE(committed, AT_COMMITTED);
  // Sealed, and with counts that nobody can have.
  bytes.writeUInt32LE(1, AT_SEALED);
  bytes.writeUInt32LE(0xffff_ffff, AT_SPANS);
  bytes.writeDoubleLE(Date.now(), AT_LEASE);
  bytes.writeDoubleLE(monotonicAt(performance.now()), AT_LEASE_MONOTONIC);
  const fd = openSync(join(dir, fileName(kind, writer.id, 1)), 'wx', 0o600);
  try {
    ftruncateSync(fd, bytes.length + bodyLength);
    writeSync(fd, bytes, 0, bytes.length, 0);
    writeSync(fd, body, 0, body.length, bytes.length);
  } finally {
    closeSync(fd);
  }
}

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
