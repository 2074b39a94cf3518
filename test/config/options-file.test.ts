import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveConfig } from '#src/config/resolve.js';
import { tempDir } from '../process/temp-dir.js';

test('options of a file beat the environment, and options in code beat the file, block by block', async (t) => {
  const dir = await tempDir(t);
  const options = { serviceName: 'file', export: { to: 'otlp-http', url: 'http://host/v1/traces', timeoutMs: 7 } };
  const files: Record<string, string> = {
    'options.json': JSON.stringify(options),
    'options.mjs': `export default ${JSON.stringify(options)};`,
    'options.cjs': `module.exports = ${JSON.stringify(options)};`,
  };
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, name);
    writeFileSync(path, text);
    const env = { FORKTRACE_CONFIG_FILE: path, OTEL_SERVICE_NAME: 'variable', OTEL_EXPORTER_OTLP_TIMEOUT: '9' };
    const config = resolveConfig({ export: { url: 'http://code/v1/traces' } }, env);
    assert.equal(config.serviceName, 'file', name);
    const { to, url, timeoutMs } = config.export;
    assert.deepEqual({ to, url, timeoutMs }, { to: 'otlp-http', url: 'http://code/v1/traces', timeoutMs: 7 }, name);
  }
});

test('a file that is not there, is no object, or holds a wrong option stops the start', async (t) => {
  const dir = await tempDir(t);
  const read = (path: string) => () => resolveConfig({}, { FORKTRACE_CONFIG_FILE: path });
  assert.throws(read(join(dir, 'none.json')), { code: 'FORKTRACE_ENV_INVALID', message: /none\.json \(ENOENT/ });
  writeFileSync(join(dir, 'list.json'), '[]');
  assert.throws(read(join(dir, 'list.json')), { code: 'FORKTRACE_ENV_INVALID', message: /list\.json/ });
  writeFileSync(join(dir, 'wrong.json'), '{ "pipeline": "fast" }');
  assert.throws(read(join(dir, 'wrong.json')), { code: 'FORKTRACE_CONFIG_INVALID', message: /pipeline/ });
});
