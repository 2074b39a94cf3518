/**
 * Which of the instrumentations are wanted: `OTEL_NODE_ENABLED_INSTRUMENTATIONS` and
 * `OTEL_NODE_DISABLED_INSTRUMENTATIONS`, with the meaning that `@opentelemetry/auto-instrumentations-node`
 * gives them.
 *
 * @module
 */
import { warn } from '../warn.js';
import { PREFIX } from './installed.js';

const ENABLED = 'OTEL_NODE_ENABLED_INSTRUMENTATIONS';
const DISABLED = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS';

/** Off unless they are enabled by name: their spans and metrics are more than most want. */
const OFF_BY_DEFAULT = new Set(['fs', 'host-metrics']);

/** @param name `@opentelemetry/instrumentation-pg` */
export function isSelected(name: string, env: NodeJS.ProcessEnv = process.env): boolean {
  const short = name.slice(PREFIX.length);
  if (namesIn(env[DISABLED]).includes(short)) return false;
  const enabled = namesIn(env[ENABLED]);
  return enabled.length > 0 ? enabled.includes(short) : !OFF_BY_DEFAULT.has(short);
}

/** Names that are to be enabled and are none of an installed instrumentation. */
export function warnOfUnknownNames(enabled: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  const known = [...enabled.map((name) => name.slice(PREFIX.length)), ...namesIn(env[DISABLED])];
  const unknown = namesIn(env[ENABLED]).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const packages = unknown.map((name) => PREFIX + name).join(' ');
  warn(
    'FORKTRACE_ENV_IGNORED',
    `Environment variable ${ENABLED}: ${unknown.join(', ')} ${unknown.length > 1 ? 'are' : 'is'} not installed, expected names of installed packages without "${PREFIX}". Run npm install ${packages}`,
  );
}

function namesIn(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
