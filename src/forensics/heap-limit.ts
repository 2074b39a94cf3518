import { resourceLimits } from 'node:worker_threads';

const MEGABYTE = 1024 * 1024;
/** Number of semi-spaces in V8's young generation (its `heap.cc`, `YoungGenerationSizeFromSemiSpaceSize`). */
const SEMI_SPACES = 3;

/**
 * The heap size in bytes at which V8 gives up: the limit of the old generation. The limit that Node reports
 * includes the young generation, and a heap of a few hundred megabytes never reaches it.
 */
export function oldGenerationLimit(
  limit = process.getBuiltinModule('node:v8').getHeapStatistics().heap_size_limit,
  flags: readonly string[] = [...(process.env.NODE_OPTIONS ?? '').split(/\s+/), ...process.execArgv],
): number {
  const ofThread = resourceLimits.maxOldGenerationSizeMb;
  const megabytes = ofThread !== undefined && ofThread > 0 ? ofThread : flag('max-old-space-size', flags);
  if (megabytes !== undefined) return Math.min(limit, megabytes * MEGABYTE);
  if (flag('max-heap-size', flags) !== undefined) return limit;
  return Math.max(limit / 2, limit - SEMI_SPACES * (flag('max-semi-space-size', flags) ?? semiSpace()) * MEGABYTE);
}

/** The value of a V8 flag. The last one counts; V8 accepts underscores, too. */
function flag(name: string, flags: readonly string[]): number | undefined {
  const texts = flags.map((text) => text.replaceAll('_', '-'));
  for (let i = texts.length - 1; i >= 0; i--) {
    const text = texts[i]!;
    const value = text === `--${name}` ? texts[i + 1] : text.startsWith(`--${name}=`) ? text.split('=')[1] : undefined;
    if (value !== undefined && Number(value) > 0) return Number(value);
  }
  return undefined;
}

/**
 * V8's default semi-space in megabytes: a third of what `heap_size_limit` is above `--max-old-space-size`.
 */
function semiSpace(): number {
  const major = Number(process.versions.v8.split('.')[0]);
  if (major < 13) return 16;
  return major === 13 ? 64 : 32;
}
