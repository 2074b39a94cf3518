import type { MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api';
import type { InstrumentationLike } from '../config/types.js';

/**
 * What of OpenTelemetry's `InstrumentationBase` is used beyond its public methods; other instrumentations
 * have none of it.
 */
export interface Instrumentation extends InstrumentationLike {
  readonly instrumentationVersion?: string;
  readonly tracer?: Tracer;
  readonly _modules?: readonly ModuleDefinition[];
  /** @returns the module's exports, patched while it is enabled */
  _onRequire?(module: ModuleDefinition, exports: unknown, name: string, baseDir?: string): unknown;
  /** The hook of `require` that all of one copy of `@opentelemetry/instrumentation` share. */
  readonly _requireInTheMiddleSingleton?: {
    register(name: string, onRequire: (exports: unknown, name: string) => unknown): unknown;
  };
  _unwrap?(nodule: Wrappable, name: string): void;
  _massUnwrap?(nodules: Wrappable[], names: string[]): void;
}

/** A package or builtin that an instrumentation patches, and files of it. */
export interface ModuleDefinition {
  readonly name: string;
  readonly files?: readonly { readonly name: string; readonly moduleExports?: unknown }[];
  /** Once it has been loaded. */
  readonly moduleExports?: unknown;
}

interface Providers {
  readonly tracerProvider: TracerProvider;
  /** undefined: metrics are off. */
  readonly meterProvider: MeterProvider | undefined;
}

/** All of one process. */
export interface Instrumentations {
  /** What was found, where that was asked for: one line for the start. */
  readonly description: string | undefined;
  /** Gives each the providers; those of the user are enabled with them. */
  start(providers: Providers): void;
  stop(): void;
}

type Wrappable = Record<string, { __unwrap?: unknown } | undefined>;

/**
 * Takes back what an instrumentation has patched. Those of OpenTelemetry write a line to stderr for each
 * function that they would have patched and have not, so they are kept to what they have.
 */
export function disableQuietly(instrumentation: Instrumentation): void {
  const { _unwrap: unwrap } = instrumentation;
  if (unwrap !== undefined) {
    const unwrapWrapped = (nodule: Wrappable | undefined, name: string) => {
      if (nodule?.[name]?.__unwrap !== undefined) unwrap.call(instrumentation, nodule, name);
    };
    instrumentation._unwrap = unwrapWrapped;
    instrumentation._massUnwrap = (nodules, names) => {
      for (const nodule of [nodules].flat()) for (const name of names) unwrapWrapped(nodule, name);
    };
  }
  instrumentation.disable();
}
