import {
  CLUSTER_WORKER_INCARNATION,
  CLUSTER_WORKER_SLOT,
  HOST_NAME,
  PROCESS_PID,
  SERVICE_INSTANCE_ID,
  SERVICE_NAME,
} from '../../wire/conventions.js';
import { decode } from '../../wire/decode.js';
import { Resource } from '../../wire/otlp.js';
import type { AnyValue, KeyValue } from '../../wire/otlp-json.js';

/** The process that a span comes from, as its resource says. */
export interface ProcessResource {
  /** The Resource message as received. */
  bytes: Buffer;
  attributes: KeyValue[];
  service: string;
  instanceId: string;
  slot: number | undefined;
  incarnation: number | undefined;
  pid: number | undefined;
  host: string;
}

export function processResource(bytes: Buffer): ProcessResource {
  const { attributes = [] } = decode(bytes, Resource);
  const get = (key: string) => scalarOf(attributes, key);
  const pid = attributeNumber(attributes, PROCESS_PID);
  return {
    bytes,
    attributes,
    service: String(get(SERVICE_NAME) ?? 'unknown_service'),
    instanceId: String(get(SERVICE_INSTANCE_ID) ?? (pid === undefined ? '' : `pid ${pid}`)),
    slot: attributeNumber(attributes, CLUSTER_WORKER_SLOT),
    incarnation: attributeNumber(attributes, CLUSTER_WORKER_INCARNATION),
    pid,
    host: String(get(HOST_NAME) ?? ''),
  };
}

function scalarOf(attributes: readonly KeyValue[], key: string) {
  return scalar(attributes.find((attribute) => attribute.key === key)?.value);
}

/** The attribute of that name, where it is a number. */
export function attributeNumber(attributes: readonly KeyValue[], key: string): number | undefined {
  return asNumber(scalarOf(attributes, key));
}

/** A simple value as itself; undefined for lists, bytes and nothing. */
export function scalar(value: AnyValue | undefined): string | number | boolean | undefined {
  if (value === undefined) return undefined;
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.intValue !== undefined) return Number(value.intValue);
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  return value.boolValue;
}

export function asNumber(value: string | number | boolean | undefined): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}
