const LONGEST = 100;
const HASH = 16;

/**
 * Makes a name one segment of a path. Different names give different segments: `@shop/cart` stays one
 * segment, `..` does not leave the directory, and `a/b` and `a_b` differ. Characters that a path may not hold
 * are percent-encoded. The end of a long name is replaced by a hash of the whole name.
 */
export function pathSegment(name: string): string {
  const escaped = name
    .replace(/[^\w.-]+/gu, (part) => Buffer.from(part).reduce((text, byte) => text + percent(byte), ''))
    .replace(/^\./, '%2E');
  if (escaped.length <= LONGEST) return escaped;
  // Loaded only for long names, which are rare.
  const { createHash } = process.getBuiltinModule('node:crypto');
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH);
  return `${escaped.slice(0, LONGEST - HASH - 1)}~${hash}`;
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
