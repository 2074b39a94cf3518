/**
 * `span`: a span around a function, as a decorator in either dialect or as a wrapper.
 *
 * @module
 */
import { type Attributes, context, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { describeValue, ForktraceError } from '../errors.js';
import { traceAsyncGenerator, traceGenerator } from './generator.js';
import { isAsyncGeneratorFunction, isGeneratorFunction } from './generator-function.js';
import { fail, type TracedFunction } from './traced-function.js';

// biome-ignore lint/suspicious/noExplicitAny: a wrapper takes every function
type AnyFunction = (this: any, ...args: any[]) => any;

/** Options of the span around a function. */
export interface SpanFunctionOptions<Args extends unknown[] = never[]> {
  /** Name of the span. @default the function's name; for a method `Class.method` */
  name?: string;
  /**
   * Start attributes, or a function of the call's arguments that returns them. If that function throws, the
   * error is recorded on the span.
   */
  attributes?: Attributes | ((...args: Args) => Attributes);
  /** Tracer that starts the span. @default the global provider's tracer `forktrace` */
  tracer?: Tracer;
  /** Kind of the span. @default SpanKind.INTERNAL */
  kind?: SpanKind;
}

/**
 * A decorator for methods and getters, including static and private ones, in the standard and in the legacy
 * dialect.
 */
export interface SpanDecorator {
  <T extends AnyFunction>(value: T, context: ClassMethodDecoratorContext | ClassGetterDecoratorContext): T;
  <T>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<T>): TypedPropertyDescriptor<T>;
}

/**
 * A span around each call of a function: sync, async, generator or async generator. It ends when the function
 * returns, its promise settles, or its iteration ends; what is thrown is recorded and thrown on. `this`, name
 * and length are kept.
 *
 * @example
 * class Shop {
 *   \@span
 *   checkout() {}
 *   \@span({ name: 'stock', attributes: (sku: string) => ({ sku }) })
 *   async stock(sku: string) {}
 * }
 * const price = span(function price(sku: string) { … });
 * const total = span({ name: 'total' }, (items: Item[]) => …);
 *
 * @throws ForktraceError with code FORKTRACE_SPAN_TARGET on anything but a method or a function
 */
export function span<T extends AnyFunction>(fn: T): T;
export function span<T extends AnyFunction>(options: SpanFunctionOptions<Parameters<T>>, fn: T): T;
export function span<Args extends unknown[]>(options: SpanFunctionOptions<Args>): SpanDecorator;
export function span<T extends AnyFunction>(
  value: T,
  context: ClassMethodDecoratorContext | ClassGetterDecoratorContext,
): T;
export function span<T>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
): TypedPropertyDescriptor<T>;
export function span(...args: unknown[]): unknown {
  const [first, second] = args;
  if (args.length === 1 && typeof first === 'object' && first !== null) {
    return (...decorated: unknown[]) => decorate(first as SpanFunctionOptions, decorated);
  }
  if (args.length === 1 && typeof first === 'function') return traced(first as AnyFunction, {}, undefined);
  if (args.length === 2 && typeof second === 'function') {
    return traced(second as AnyFunction, first as SpanFunctionOptions, undefined);
  }
  return decorate({}, args);
}

function decorate(options: SpanFunctionOptions, args: unknown[]): unknown {
  const [target, second, descriptor] = args as [object, unknown, PropertyDescriptor | undefined];
  if (args.length === 2 && isDecoratorContext(second)) {
    if (second.kind !== 'method' && second.kind !== 'getter')
      throw new ForktraceError('FORKTRACE_SPAN_TARGET', [`a ${second.kind}`]);
    const method = String(second.name);
    return traced(target as AnyFunction, options, second.static ? staticName(method) : instanceName(method));
  }
  const method = descriptor?.value ?? descriptor?.get;
  if (descriptor === undefined || typeof method !== 'function') {
    throw new ForktraceError('FORKTRACE_SPAN_TARGET', [describeValue(descriptor?.value ?? target)]);
  }
  const owner = typeof target === 'function' ? target : target.constructor;
  const name = `${owner.name}.${String(second)}`;
  const wrapped = traced(method, options, () => name);
  return descriptor.get ? { ...descriptor, get: wrapped } : { ...descriptor, value: wrapped };
}

function isDecoratorContext(value: unknown): value is ClassMethodDecoratorContext | ClassGetterDecoratorContext {
  return typeof value === 'object' && value !== null && 'kind' in value && 'addInitializer' in value;
}

type NameOf = (self: unknown) => string;

// The standard dialect does not tell a method's class, so it is taken from `this`.
const staticName = (method: string) => (self: unknown) => `${(self as { name?: string })?.name ?? 'class'}.${method}`;
const instanceName = (method: string) => (self: unknown) => `${self?.constructor?.name ?? 'object'}.${method}`;

function traced(fn: AnyFunction, options: SpanFunctionOptions, nameOf: NameOf | undefined): AnyFunction {
  // A class cannot be called without `new`: the first call of the wrapper would throw, far from the mistake.
  if (/^class\b/.test(Function.prototype.toString.call(fn))) {
    throw new ForktraceError('FORKTRACE_SPAN_TARGET', [`class ${fn.name}`]);
  }
  const { attributes, kind = SpanKind.INTERNAL } = options;
  const fixedName = options.name ?? (nameOf ? undefined : fn.name || 'anonymous');
  const shared: TracedFunction = {
    fn,
    start(self, args) {
      const tracer = options.tracer ?? trace.getTracer('forktrace');
      const name = fixedName ?? nameOf!(self);
      if (typeof attributes !== 'function') return tracer.startSpan(name, { kind, attributes });
      // Made before the span is: samplers see start attributes only.
      let made: Attributes | undefined;
      try {
        made = (attributes as (...values: unknown[]) => Attributes)(...args);
      } catch (error) {
        // The user's own function must run whatever its description does.
        const started = tracer.startSpan(name, { kind });
        started.recordException(error as Error);
        return started;
      }
      return tracer.startSpan(name, { kind, attributes: made });
    },
  };
  let wrapper: AnyFunction;
  if (isGeneratorFunction(fn)) wrapper = traceGenerator(shared);
  else if (isAsyncGeneratorFunction(fn)) wrapper = traceAsyncGenerator(shared);
  else wrapper = traceCall(shared);
  Object.defineProperties(wrapper, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
  return wrapper;
}

function traceCall(shared: TracedFunction): AnyFunction {
  return function (this: unknown, ...args: unknown[]) {
    const started = shared.start(this, args);
    let result: unknown;
    try {
      result = context.with(trace.setSpan(context.active(), started), shared.fn, this, ...args);
    } catch (error) {
      fail(started, error);
      throw error;
    }
    if (!isThenable(result)) {
      started.end();
      return result;
    }
    return result.then(
      (value) => {
        started.end();
        return value;
      },
      (error) => {
        fail(started, error);
        throw error;
      },
    );
  };
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function';
}
