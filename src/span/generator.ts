/**
 * A span around an iteration. It starts with the first `next`, since a generator that nobody iterates runs no
 * code, and ends when the iteration does: by its end, `return` (a `break` in the loop), or a throw. The
 * context is active in each step.
 *
 * @module
 */
import { type Context, context, type Span, trace } from '@opentelemetry/api';
import { fail, type TracedFunction } from './traced-function.js';

type Step = 'next' | 'return' | 'throw';
// biome-ignore lint/suspicious/noExplicitAny: stands for any generator function
type AnyGeneratorFunction = (this: any, ...args: any[]) => any;

class Iteration {
  #span: Span | undefined;
  #context: Context | undefined;
  readonly #parent = context.active();
  readonly #start: () => Span;

  constructor(start: () => Span) {
    this.#start = start;
  }

  /** Starts the span at the first step; `return` and `throw` before it run no code of the generator's. */
  run<Result>(step: Step, run: () => Result): Result {
    if (this.#context === undefined && step === 'next') {
      const started = context.with(this.#parent, this.#start);
      this.#span = started;
      this.#context = trace.setSpan(this.#parent, started);
    }
    return this.#context === undefined ? run() : context.with(this.#context, run);
  }

  settled(result: IteratorResult<unknown>): void {
    if (!result.done) return;
    this.#span?.end();
    this.#span = undefined;
  }

  failed(error: unknown): void {
    if (this.#span) fail(this.#span, error);
    this.#span = undefined;
  }
}

export function traceGenerator(shared: TracedFunction): AnyGeneratorFunction {
  return function (this: unknown, ...args: unknown[]) {
    const generator: Generator = shared.fn.apply(this, args);
    const iteration = new Iteration(() => shared.start(this, args));
    const step = (kind: Step) => (value?: unknown) => {
      try {
        const result = iteration.run(kind, () => generator[kind](value as never));
        iteration.settled(result);
        return result;
      } catch (error) {
        iteration.failed(error);
        throw error;
      }
    };
    return withSteps(generator, step);
  };
}

export function traceAsyncGenerator(shared: TracedFunction): AnyGeneratorFunction {
  return function (this: unknown, ...args: unknown[]) {
    const generator: AsyncGenerator = shared.fn.apply(this, args);
    const iteration = new Iteration(() => shared.start(this, args));
    const step = (kind: Step) => async (value?: unknown) => {
      try {
        const result = await iteration.run(kind, () => generator[kind](value as never));
        iteration.settled(result);
        return result;
      } catch (error) {
        iteration.failed(error);
        throw error;
      }
    };
    return withSteps(generator, step);
  };
}

/**
 * An object of the same prototype, so that iteration, iterator helpers and `instanceof` work as on the
 * generator itself.
 */
function withSteps(generator: object, step: (kind: Step) => unknown): unknown {
  return Object.create(Object.getPrototypeOf(generator), {
    next: { value: step('next') },
    return: { value: step('return') },
    throw: { value: step('throw') },
  });
}
