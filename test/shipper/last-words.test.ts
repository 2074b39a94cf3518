import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPostMortems } from '#src/forensics/post-mortem.js';
import { ShipperLock } from '#src/shipper/lock.js';
import { Shipper, type ShipperOptions } from '#src/shipper/shipper.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { PLAIN_EXPORT } from './journal-scene.js';

interface Row {
  env?: Record<string, string>;
  forensics?: object;
  redactLastWords?: ShipperOptions['redactLastWords'];
  expected: string | undefined;
}

const mask = (text: string) => text.replace('secret', '***');
const rows: Record<string, Row> = {
  'nothing said': { expected: 'the secret is out\n' },
  'off by the option': { forensics: { lastWords: false }, expected: undefined },
  'off by the environment': { env: { FORKTRACE_LAST_WORDS: 'false' }, expected: undefined },
  'a redaction that the shipper has': { env: { REDACT: 'mask' }, redactLastWords: mask, expected: 'the *** is out\n' },
  'a redaction that the shipper alone has': { redactLastWords: mask, expected: 'the *** is out\n' },
  'a redaction that the shipper does not have': { env: { REDACT: 'mask' }, expected: undefined },
  'a redaction that throws': {
    env: { REDACT: 'throw' },
    redactLastWords() {
      throw new Error('the redaction is broken');
    },
    expected: undefined,
  },
};

test("last words from pm2's log file: off and redacted by the same options as under the coordinator", async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const results = Object.entries(rows).map(async ([row, { env, forensics, redactLastWords, expected }]) => {
    const home = await tempDir(t);
    const log = join(home, 'app-error.log');
    writeFileSync(log, 'of an earlier life\n');
    const dir = join(home, 'shop');
    mkdirSync(dir, { mode: 0o700 });
    const lock = ShipperLock.acquire(dir);
    assert.ok(lock);
    const target = { ...PLAIN_EXPORT, url: endpoint.grpcUrl };
    const shipper = new Shipper({ dir, lock, export: target, maxBytes: 2 ** 28, redactLastWords });
    const done = shipper.run();
    const config = { serviceName: 'shop', forensics, journal: { dir: home }, export: { url: endpoint.grpcUrl } };
    const pm2 = { pm_id: '0', pm_err_log_path: log };
    const program = runProgram(t, fixture('pm2-worker'), {
      env: { ...env, ...pm2, TRACING_CONFIG: JSON.stringify(config) },
    });
    await program.waitForOutput(/ready/);
    program.kill('SIGKILL');
    await program.waitForExit();
    const pid = program.child.pid!;
    const spans = await endpoint.waitForSpans((all) => all.some(({ resource }) => resource['process.pid'] === pid));
    shipper.stop(5000);
    await done;
    const span = spans.find(({ resource }) => resource['process.pid'] === pid);
    const event = span!.events.find(({ name }) => name === 'forktrace.last_words');
    assert.equal(event?.attributes['forktrace.last_words.text'], expected, row);
    const [death] = readPostMortems(dir);
    assert.equal(death?.pid, pid, row);
    assert.equal(death?.lastWords, expected, row);
  });
  await Promise.all(results);
});
