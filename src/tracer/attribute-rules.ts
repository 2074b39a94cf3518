import { type Attributes, type AttributeValue, diag } from '@opentelemetry/api';

/**
 * What the API takes as an attribute: string, number, boolean, arrays of one of these with holes; null and
 * undefined pass.
 */
export function isAttributeValue(value: unknown): value is AttributeValue | null | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'undefined':
      return true;
    case 'object':
      return value === null || (Array.isArray(value) && isHomogeneous(value));
    default:
      return false;
  }
}

function isHomogeneous(values: readonly unknown[]): boolean {
  let type: string | undefined;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    const found = typeof value;
    if (found === type) continue;
    if (type !== undefined || (found !== 'string' && found !== 'number' && found !== 'boolean')) return false;
    type = found;
  }
  return true;
}

/**
 * Whether a span takes an attribute; if not, why is logged. Keys are strings, whatever the caller's types
 * say.
 */
export function isAttribute(key: unknown, value: unknown): value is AttributeValue | null | undefined {
  if (typeof key !== 'string' || key.length === 0) {
    // A symbol has no other way to become text.
    diag.warn(`Invalid attribute key: ${String(key)}`);
    return false;
  }
  if (!isAttributeValue(value)) {
    diag.warn(`Invalid attribute value set for key: ${key}`);
    return false;
  }
  return true;
}

/** A copy of what is valid in `attributes`, arrays copied too. Null and undefined stay, as in the SDK. */
export function validAttributes(attributes: unknown): Attributes {
  const valid: Attributes = {};
  if (typeof attributes !== 'object' || attributes === null) return valid;
  for (const key in attributes) {
    if (!Object.hasOwn(attributes, key)) continue;
    const value = (attributes as Attributes)[key];
    if (isAttribute(key, value)) valid[key] = Array.isArray(value) ? (value.slice() as AttributeValue) : value;
  }
  return valid;
}

/**
 * Strings cut to `limit` UTF-16 units, arrays copied with their strings cut. A limit that is not positive
 * cuts nothing.
 */
export function truncated<Value>(value: Value, limit: number): Value {
  if (typeof value === 'string')
    return (value.length > limit && limit > 0 ? value.substring(0, limit) : value) as Value;
  if (!Array.isArray(value)) return value;
  if (!(limit > 0)) return value.slice() as Value;
  return value.map((item) =>
    typeof item === 'string' && item.length > limit ? item.substring(0, limit) : item,
  ) as Value;
}
