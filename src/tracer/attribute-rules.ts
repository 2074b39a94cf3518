/**
 * Which attributes are taken and how they are cut: the rules of the SDK's own span, and of the specification
 * (common/README "Attribute": non-empty keys, primitive values or arrays of one primitive type; "Attribute Limits").
 *
 * @module
 */
import { type Attributes, type AttributeValue, diag } from '@opentelemetry/api';

export function isAttributeValue(value: unknown): boolean {
  if (value == null) return true;
  if (Array.isArray(value)) return isHomogeneousArray(value);
  return isPrimitive(typeof value);
}

function isPrimitive(type: string): boolean {
  return type === 'string' || type === 'number' || type === 'boolean';
}

function isHomogeneousArray(values: readonly unknown[]): boolean {
  let type: string | undefined;
  for (const value of values) {
    if (value == null) continue;
    const own = typeof value;
    if (type === undefined) {
      if (!isPrimitive(own)) return false;
      type = own;
    } else if (own !== type) {
      return false;
    }
  }
  return true;
}

/** A copy with the valid attributes alone. */
export function validAttributes(attributes: Attributes | undefined): Attributes {
  const valid: Attributes = {};
  if (typeof attributes !== 'object' || attributes === null) return valid;
  for (const key of Object.keys(attributes)) {
    const value = attributes[key];
    if (key === '') diag.warn('Invalid attribute key: it is empty');
    else if (!isAttributeValue(value)) diag.warn(`Invalid attribute value set for key: ${key}`);
    else valid[key] = Array.isArray(value) ? (value.slice() as AttributeValue) : value;
  }
  return valid;
}

/** Strings, alone or in an array, cut to `limit` UTF-16 units. */
export function truncateValue(value: AttributeValue, limit: number): AttributeValue {
  if (typeof value === 'string') return value.length > limit ? value.substring(0, limit) : value;
  if (Array.isArray(value) && limit !== Number.POSITIVE_INFINITY) {
    return (value as unknown[]).map((item) =>
      typeof item === 'string' && item.length > limit ? item.substring(0, limit) : item,
    ) as AttributeValue;
  }
  return value;
}
