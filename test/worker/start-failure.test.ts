// Why a worker does not start, whatever was thrown.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { ForktraceError } from '#src/errors.js';
import { describeFailure } from '#src/worker/start-failure.js';
import { tempDir } from '../process/temp-dir.js';

test('what is thrown and is no error is told by its text', () => {
  assert.equal(describeFailure('no database', undefined).message, 'no database');
  assert.equal(describeFailure(undefined, undefined).message, 'undefined');
});

test('an error without a message is told by those that it holds, its code or its name', () => {
  const refused = [new Error('connect ECONNREFUSED ::1:5432'), new Error('connect ECONNREFUSED 127.0.0.1:5432')];
  assert.equal(
    describeFailure(new AggregateError(refused), undefined).message,
    'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432',
  );
  assert.equal(describeFailure(Object.assign(new Error(), { code: 'ENOMEM' }), undefined).message, 'ENOMEM');
  assert.equal(describeFailure(new TypeError(), undefined).message, 'TypeError');
});

test('an error with a code of ours is told with it, and its cause with its stack', () => {
  const cause = new Error('no table');
  const { message, stack } = describeFailure(new ForktraceError('FORKTRACE_STOPPING', [], { cause }), undefined);
  assert.match(message, /[^.] \(FORKTRACE_STOPPING\)$/);
  assert.match(stack!, /^Error: no table\n/);
  assert.equal(describeFailure(new ForktraceError('FORKTRACE_STOPPING', []), undefined).stack, undefined);
});

test('a chain of causes is told up to a bound, also where it is a circle', () => {
  const circular: Error = new Error('again');
  circular.cause = Object.assign(new Error('and again'), { cause: circular });
  assert.equal(describeFailure(circular, undefined).stack!.match(/\[cause\]: /g)!.length, 4);
  const bare = Object.assign(new Error('deep'), { stack: '' });
  assert.match(describeFailure(new Error('top', { cause: bare }), undefined).stack!, /\[cause\]: Error: deep$/);
});

test('a syntax error in an ES module is told with its place, which Node.js prints and JavaScript cannot read', async (t) => {
  const path = join(await tempDir(t), 'app.mjs');
  writeFileSync(path, 'export default () => {};\nconst = 1;\n');
  const url = pathToFileURL(path).href;
  const error = await import(url).catch((thrown: unknown) => thrown);
  const { message, stack } = describeFailure(error, url);
  assert.equal(message, "Unexpected token '='");
  assert.ok(stack!.startsWith(`${url}:2\n`), stack);
  assert.match(stack!, /const = 1;/);
});
