/**
 * What a writer does so that its spans go where it says, whoever ships them.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';
import type { StderrFile } from '../forensics/stderr-file.js';
import { warn } from '../warn.js';
import { destinationOf, writeDestination } from './destination.js';
import { sendDestination } from './destination-messages.js';
import { watchExport } from './fresh-export.js';

/** What another process cannot read anew is said as it is. */
function concrete(target: ResolvedExport): ResolvedExport {
  const { headersFrom, logs, ...rest } = target;
  return { ...rest, ...(!headersFrom?.call && { headersFrom }), logs: logs && concrete(logs) };
}

/** Beside this writer's segments. Never throws. */
export function sayPlace(dir: string, writerId: string, target: ResolvedExport, stderr?: StderrFile): void {
  try {
    writeDestination(dir, writerId, { ...destinationOf(target), stderr });
  } catch (error) {
    warn(
      'FORKTRACE_DESTINATION_UNSAID',
      `Spans of this process go to the same endpoint as those of other processes, because its own endpoint could not be written to ${dir} (${(error as Error).message}).`,
    );
  }
}

/**
 * Beside this writer's segments, and to the shipper. Never throws.
 *
 * @param hasUnshipped whether this writer has written what has not been shipped
 * @returns ends it
 */
export function sayDestination(
  dir: string,
  writerId: string,
  target: ResolvedExport,
  hasUnshipped: () => boolean,
  stderr?: StderrFile,
): () => void {
  sayPlace(dir, writerId, target, stderr);
  // Whoever starts the viewer knows its port, and starts its shipper.
  if (target.to === 'viewer' && target.url === undefined) return () => {};
  const say = sendDestination(dir, undefined, writerId, hasUnshipped);
  const end = watchExport(target, (fresh) => {
    say(concrete(fresh));
  });
  return () => {
    end();
    say(undefined);
  };
}
