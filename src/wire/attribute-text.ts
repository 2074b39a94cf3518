import type { AnyValue, KeyValue } from './otlp-json.js';

/** A value as one would write it, for search and comparison. */
export function valueText(value: AnyValue | undefined): string {
  if (value === undefined) return '';
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return value.intValue;
  if (value.doubleValue !== undefined) return String(value.doubleValue);
  if (value.boolValue !== undefined) return String(value.boolValue);
  if (value.bytesValue !== undefined) return value.bytesValue;
  if (value.arrayValue !== undefined) return `[${(value.arrayValue.values ?? []).map(valueText).join(', ')}]`;
  if (value.kvlistValue !== undefined) return `{${attributesText(value.kvlistValue.values)}}`;
  return '';
}

export function attributesText(attributes: KeyValue[] = []): string {
  return attributes.map(({ key = '', value }) => `${key}=${valueText(value)}`).join(', ');
}
