/**
 * What an endpoint fails over each time that it is sent alone, while all else passes, holds nothing else up:
 * it goes to a journal of its own, as if a process that has ended had left it, and is tried again from there.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { removeDestination, writeDestination } from './destination.js';
import type { TailedWriter } from './tailed-writer.js';
import type { Signal } from './transport.js';
import { writeSegment } from './write-segment.js';

/** No writer reaches it, and no other is used for this. */
export const SET_ASIDE_SEQUENCE = 0xffff_fffe;

/**
 * @param chunk as the writer's own segment has it, without a checksum
 * @returns the id of the journal that has it now
 * @throws what the file system says: nothing has changed then
 */
export function setAside(dir: string, writer: TailedWriter, signal: Signal, chunk: Uint8Array): string {
  const { identity, resource, schemaUrl } = writer;
  const id = randomBytes(16).toString('hex');
  // A writer that has said nothing sends to where the shipper does.
  const said = writer.saidIn(dir);
  if (said !== undefined)
    writeDestination(dir, id, { ...said, ...(signal === 'traces' && { setAsideOf: identity.id }) });
  try {
    writeSegment(dir, {
      kind: signal === 'logs' ? 'logs' : 'segment',
      sequence: SET_ASIDE_SEQUENCE,
      writer: { ...identity, id },
      described: { resource, schemaUrl },
      body: chunk,
      items: 1,
    });
  } catch (error) {
    removeDestination(dir, id);
    throw error;
  }
  return id;
}
