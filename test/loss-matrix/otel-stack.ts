/**
 * OpenTelemetry's own stack, which the matrices compare with: the benchmarks' one.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const directory = fileURLToPath(new URL('../../bench/otel-2', import.meta.url));

/** What its "Getting started" has a program load first. */
export const otelSetup = `${directory}/setup.cjs`;

export function installOtelStack(): void {
  if (existsSync(`${directory}/node_modules`)) return;
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: directory, stdio: ['ignore', 2, 2] });
}
