/**
 * Appends one item, a span or a log record, to the active segment.
 *
 * @module
 */
import { asMemory, copyBytes, type Memory } from '../wire/memory.js';
import { beginChunk, beginSpanIn, chunkLength } from './chunk.js';
import type { SegmentWriter } from './segment-writer.js';

/**
 * @param bytes the item's fields are `bytes[start..end)`
 * @returns false when the item is lost, and counted
 */
export function appendChunk(
  segments: SegmentWriter,
  scope: Memory,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const scopeLength = scope.bytes.length;
  const itemLength = end - start;
  const segment = segments.segmentFor(chunkLength(scopeLength, itemLength));
  if (segment === undefined) return false;
  const { memory } = segment;
  let at = beginChunk(memory.bytes, segment.position, scopeLength, itemLength);
  copyBytes(scope, 0, memory, at, scopeLength);
  at = beginSpanIn(memory.bytes, at + scopeLength, itemLength);
  copyBytes(asMemory(bytes), start, memory, at, itemLength);
  segment.commitTo(at + itemLength);
  return true;
}
