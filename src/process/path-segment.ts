const LONGEST = 100;
const HASH = 16;

/**
 * A name as one segment of a path, another one for every name: `@shop/cart` must not become two, `..` must
 * not leave the directory, and `a/b` is not `a_b`. What a path may not hold is percent-encoded; of a long
 * name the end becomes a hash of the whole.
 */
export function pathSegment(name: string): string {
  const escaped = name
    .replace(/[^\w.-]+/gu, (part) => Buffer.from(part).reduce((text, byte) => text + percent(byte), ''))
    .replace(/^\./, '%2E');
  if (escaped.length <= LONGEST) return escaped;
  // Loaded for the few names that are so long.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH);
  return `${escaped.slice(0, LONGEST - HASH - 1)}~${hash}`;
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
