/**
 * OpenTelemetry's variables of its OTLP exporters, for one signal and for all.
 * (OpenTelemetry specification, "OpenTelemetry Protocol Exporter")
 *
 * @module
 */
import { ForktraceError } from '../errors.js';
import { type Environment, firstOf } from './environment.js';
import type { Kind } from './kinds.js';
import type { ValuesOf } from './option.js';
import type { exporting } from './options/export.js';
import { type OtlpSignal, type OtlpSuffix, otlp } from './variables.js';

type OtlpDestination = 'otlp-grpc' | 'otlp-http';
export type ExportValues = ValuesOf<typeof exporting>;

/**
 * The option or variable that a URL or file has come from: a wrong option stops the start, a variable is
 * said.
 */
export type Origin = { option: string } | { variable: string };

/** Reads what is said for one signal, and for all. */
export class OtlpVariables {
  readonly environment: Environment;
  readonly signal: OtlpSignal;

  constructor(environment: Environment, signal: OtlpSignal) {
    this.environment = environment;
    this.signal = signal;
  }

  /** The variable of this signal, then the one of all signals. */
  names(suffix: OtlpSuffix): [string, string] {
    return [`OTEL_EXPORTER_OTLP_${this.signal}_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`];
  }

  read<Suffix extends OtlpSuffix>(suffix: Suffix): OtlpValue<Suffix> | undefined {
    const { kind, secret = false } = otlp[suffix] as unknown as { kind: Kind<OtlpValue<Suffix>>; secret?: boolean };
    return firstOf(this.environment, this.names(suffix), kind, secret);
  }

  /** What speaks for OTLP over gRPC or over HTTP; undefined where neither is said. */
  get protocol(): OtlpDestination | undefined {
    const protocol = this.read('PROTOCOL');
    return protocol && (protocol === 'grpc' ? 'otlp-grpc' : 'otlp-http');
  }

  get endpoint(): string | undefined {
    return this.read('ENDPOINT');
  }
}
type OtlpValue<Suffix extends OtlpSuffix> = (typeof otlp)[Suffix] extends { kind: Kind<infer T> } ? T : never;

/** Whether gRPC without a scheme in its URL goes without TLS. */
export function isInsecure(variables: OtlpVariables, values: ExportValues): boolean {
  const read = variables.read('INSECURE');
  return values.export.tls.insecure ?? read ?? false;
}

/** Of an option an error that stops the start; of a variable a warning, and its default is used. */
export function refuseValue(origin: Origin, found: string, expected: string, environment: Environment): undefined {
  if ('option' in origin) throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [origin.option, found, expected]);
  environment.unusable(origin.variable, found, expected);
}
