import assert from 'node:assert/strict';
import { readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { shipperPid } from '#src/shipper/lock.js';
import { fixture, runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';

const skip = process.platform === 'linux' ? false : 'needs /proc';

test('a shipper has of its starter’s environment what it needs, and nothing else', { skip }, async (t) => {
  const dir = await tempDir(t);
  const program = runProgram(t, fixture('unaware-server'), {
    execArgv: ['--import', import.meta.resolve('forktrace/register')],
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'secretive',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
      FORKTRACE_JOURNAL_DIR: dir,
      DATABASE_PASSWORD: 'secret',
      WATCH_REPORT_DEPENDENCIES: '1',
      NODE_OPTIONS: '--no-deprecation',
      HTTPS_PROXY: 'http://proxy.invalid:3128',
      SSL_CERT_DIR: 'certificates:/etc/ssl/certs',
    },
  });
  const pid = await program.waitFor(() => shipperPid(join(dir, 'secretive')), 'a shipper');
  const entries = readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0');
  const names = entries.map((entry) => entry.slice(0, entry.indexOf('=')));
  const expected = ['HTTPS_PROXY', 'PATH', 'TMPDIR'];
  assert.deepEqual(
    expected.filter((name) => !names.includes(name)),
    [],
  );
  // It works elsewhere, so that a file system can be unmounted, and finds what a path means where it was
  // started.
  await program.waitFor(() => readlinkSync(`/proc/${pid}/cwd`) === '/', 'its own working directory');
  assert.ok(entries.includes(`SSL_CERT_DIR=${resolve('certificates')}:/etc/ssl/certs`), entries.join('\n'));
  assert.doesNotMatch(names.join(' '), /DATABASE|WATCH|NODE_OPTIONS|OTEL|FORKTRACE|TEST_RUN_ID/);
});
