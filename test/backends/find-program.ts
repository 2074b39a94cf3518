import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = {
  otelcol: ['otelcol', 'otelcol-contrib'],
  jaeger: ['jaeger'],
  nginx: ['nginx'],
  systemd: ['systemd-analyze'],
} as const;

/**
 * A program of somebody else: what the variable of its name in capitals says, else the first on the PATH (and
 * in /usr/sbin).
 */
export function findProgram(program: keyof typeof NAMES): string | undefined {
  const told = process.env[program.toUpperCase()];
  if (told) return told;
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin'];
  return NAMES[program].flatMap((name) => places.map((place) => join(place, name))).find((path) => existsSync(path));
}
