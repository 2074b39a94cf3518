import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prefixOutput } from '#src/worker/line-prefix.js';

function stream(isTTY = false) {
  const written: Buffer[] = [];
  const made = {
    isTTY,
    write: (chunk: string | Uint8Array) => written.push(Buffer.from(chunk as string)) > 0,
  };
  return { made: made as unknown as NodeJS.WriteStream, text: () => Buffer.concat(written).toString('utf8') };
}

test('each line has its slot before it, however lines are cut into writes', () => {
  const { made, text } = stream();
  prefixOutput(2, [made]);
  for (const chunk of ['one\ntwo\n', 'thr', 'ee\n', '', '\n', 'last']) made.write(chunk);
  assert.equal(text(), 'slot 2 | one\nslot 2 | two\nslot 2 | three\nslot 2 | \nslot 2 | last');
});

test('bytes stay what they are, those of a character that is cut in two included', () => {
  const { made, text } = stream();
  prefixOutput(0, [made]);
  const bytes = Buffer.from('größe\n');
  made.write(bytes.subarray(0, 3));
  made.write(bytes.subarray(3));
  assert.equal(text(), 'slot 0 | größe\n');
});

test('a terminal gets a colour for each slot, unless NO_COLOR is set', (t) => {
  const { NO_COLOR: before } = process.env;
  t.after(() => {
    if (before === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = before;
  });
  delete process.env.NO_COLOR;
  const colored = stream(true);
  prefixOutput(1, [colored.made]);
  colored.made.write('x\n');
  assert.equal(colored.text(), '\x1b[33mslot 1 |\x1b[39m x\n');
  process.env.NO_COLOR = '1';
  const plain = stream(true);
  prefixOutput(1, [plain.made]);
  plain.made.write('x\n');
  assert.equal(plain.text(), 'slot 1 | x\n');
});
