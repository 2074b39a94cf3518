import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keepUnheard, sayUnheard } from '#src/shipper/unheard.js';
import { tempDir } from '../process/temp-dir.js';

const warning = (code: string, message: string) => Object.assign(new Error(message), { code });

test('what a shipper could not say is said once, but an outage that is over', async (t) => {
  const dir = await tempDir(t);
  const said: string[] = [];
  const listen = ({ message }: Error) => said.push(message);
  process.on('warning', listen);
  t.after(() => process.off('warning', listen));
  keepUnheard(dir, warning('FORKTRACE_EXPORT_FAILED', '2 exports to http://a (OTLP/gRPC) failed; …'));
  keepUnheard(dir, warning('FORKTRACE_EXPORT_FAILED', '1 export to http://b (OTLP/gRPC) failed; \u001b[31m'));
  keepUnheard(dir, warning('DEP0001', 'of another'));
  keepUnheard(dir, warning('FORKTRACE_EXPORT_RECOVERED', 'http://a (OTLP/gRPC) accepts spans again, after 3 s'));
  sayUnheard(dir);
  sayUnheard(dir);
  assert.deepEqual(said, ['After an earlier process had ended: 1 export to http://b (OTLP/gRPC) failed; [31m']);
  assert.equal(existsSync(join(dir, 'shipper.warnings')), false);
});

test('it is bounded, and nothing throws where nothing can be kept', async (t) => {
  const dir = await tempDir(t);
  keepUnheard(join(dir, 'none'), warning('FORKTRACE_EXPORT_FAILED', 'x'));
  sayUnheard(join(dir, 'none'));
  let said = 0;
  const count = () => said++;
  process.on('warning', count);
  t.after(() => process.off('warning', count));
  for (let n = 0; n < 1000; n++) keepUnheard(dir, warning('FORKTRACE_EXPORT_FAILED', 'x'.repeat(1000)));
  sayUnheard(dir);
  assert.ok(said > 10 && said < 20, `${said}`);
});
