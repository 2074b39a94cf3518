/**
 * What an endpoint fails over each time that it is sent alone, while all else passes, holds nothing else up:
 * it goes to a journal of its own, as if a process that has ended had left it, and is tried again from there.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { copyFileSync, rmSync } from 'node:fs';
import { destinationFile } from './destination.js';
import type { TailedWriter } from './tail.js';
import type { Signal } from './transport.js';
import { writeSegment } from './write-segment.js';

/** No writer reaches it, and no other is used for this. */
export const SET_ASIDE_SEQUENCE = 0xffff_fffe;

/**
 * @param chunk as the writer's own segment has it, without a checksum
 * @returns the id of the journal that has it now
 * @throws what the file system says: nothing has changed then
 */
export function setAside(
  dir: string,
  { identity, resource, schemaUrl }: TailedWriter,
  signal: Signal,
  chunk: Uint8Array,
): string {
  const id = randomBytes(16).toString('hex');
  const destination = destinationFile(dir, id);
  try {
    copyFileSync(destinationFile(dir, identity.id), destination);
  } catch (error) {
    // A writer that has said nothing sends to where the shipper does.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
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
    rmSync(destination, { force: true });
    throw error;
  }
  return id;
}
