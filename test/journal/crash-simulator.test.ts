import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tempDir } from '../process/temp-dir.js';
import { mutants } from './crash-simulator/mutants.js';

const SEEDS = 2000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const simulator = 'dist-test/journal/crash-simulator/main.js';

test(`a writer that is stopped after any of its stores leaves each span once, complete, ended or interrupted: ${SEEDS} programs`, async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [simulator, '--seeds', String(SEEDS)], { cwd: root });
  const { stops, stores } = JSON.parse(stdout) as { stops: number; stores: number };
  assert.ok(stops > 10_000 && stores > 1_000_000, stdout);
});

test('the simulator finds a mutant in each operation', async (t) => {
  const copy = await tempDir(t);
  for (const part of ['package.json', 'dist', 'dist-test/journal/crash-simulator']) {
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  // The modules one by one, as the compiler makes them: a mutant is a change of one of them.
  const tsc = [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'src'), '--outDir', join(copy, 'dist')];
  await promisify(execFile)(process.execPath, [...tsc, '--tsBuildInfoFile', join(copy, '.tsbuildinfo')], { cwd: root });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  for (const { operation, name, file, from, to } of mutants) {
    await t.test(`${operation}: ${name}`, () => {
      const path = join(copy, 'dist/journal', file);
      const source = readFileSync(path, 'utf8');
      assert.equal(source.split(from).length, 2, `${file} has this text once:\n${from}`);
      writeFileSync(
        path,
        source.replace(from, () => to),
      );
      try {
        const { status, stdout, stderr } = spawnSync(process.execPath, [simulator], { cwd: copy, encoding: 'utf8' });
        assert.equal(status, 1, `not found: ${stdout}`);
        assert.match(
          stderr,
          /^(.*; stopped in \w+ after store \d+|the shipper read .*|.* while its writer lives)/m,
          stderr,
        );
      } finally {
        writeFileSync(path, source);
      }
    });
  }
});
