import { decode } from '../wire/decode.js';
import { Resource } from '../wire/otlp.js';

/** An attribute of an encoded Resource, as text; undefined where there is none, or no sound Resource. */
export function attributeOf(resource: Uint8Array, name: string): string | undefined {
  try {
    const { attributes = [] } = decode(resource, Resource);
    const value = attributes.find(({ key }) => key === name)?.value;
    return value?.stringValue ?? value?.intValue?.toString();
  } catch {
    return undefined;
  }
}
