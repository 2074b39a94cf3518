/** Spans that are made active, with the context managers that a program may have registered. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { activeContext } from '#src/tracer/context-storage.js';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { defaultLimits, resource } from './compared-spans.js';
import { MemorySpanLog } from './memory-span-log.js';

const tracer = new JournalTracerProvider({
  resource,
  spanLimits: defaultLimits,
  spanLog: new MemorySpanLog(),
}).getTracer('test');

/** As that of a vendor who wants to know of each context. */
class CountingManager extends AsyncLocalStorageContextManager {
  entered = 0;
  override with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    this.entered++;
    return super.with(active, fn, thisArg, ...args);
  }
}

function register(t: { after(fn: () => void): void }, manager: AsyncLocalStorageContextManager): void {
  context.disable();
  context.setGlobalContextManager(manager.enable());
  t.after(() => context.disable());
}

test('an active span is active in what its function starts, and not after it', async (t) => {
  register(t, new AsyncLocalStorageContextManager());
  const seen: unknown[] = [];
  await tracer.startActiveSpan('outer', async (outer) => {
    seen.push(trace.getActiveSpan() === outer);
    const inner = tracer.startActiveSpan('inner', async (span) => {
      await new Promise((resolve) => setImmediate(resolve));
      return trace.getActiveSpan() === span;
    });
    seen.push(trace.getActiveSpan() === outer, await inner, trace.getActiveSpan() === outer);
    assert.throws(() => tracer.startActiveSpan('throws', () => assert.fail('by design')), /by design/);
    seen.push(trace.getActiveSpan() === outer);
  });
  assert.deepEqual(seen, [true, true, true, true, true]);
  assert.equal(context.active(), ROOT_CONTEXT);
});

test('a context manager that is registered later is the one that is used', (t) => {
  for (let n = 0; n < 2; n++) {
    const manager = new AsyncLocalStorageContextManager();
    register(t, manager);
    tracer.startActiveSpan('a', (span) => assert.equal(trace.getSpan(manager.active()), span));
  }
  context.disable();
  tracer.startActiveSpan('without one', () => assert.equal(trace.getActiveSpan(), undefined));
});

test('a context manager that does more than run is called, and so is one whose methods are replaced', (t) => {
  const counting = new CountingManager();
  register(t, counting);
  tracer.startActiveSpan('a', (span) => assert.equal(trace.getActiveSpan(), span));
  assert.equal(counting.entered, 1);

  const replaced = new AsyncLocalStorageContextManager();
  let calls = 0;
  const original = replaced.with;
  replaced.with = function counted(this: typeof replaced, ...args: unknown[]) {
    calls++;
    return Reflect.apply(original, this, args);
  } as typeof original;
  register(t, replaced);
  tracer.startActiveSpan('a', (span) => assert.equal(trace.getActiveSpan(), span));
  assert.equal(calls, 1);
});

test('what a context manager says is active where nothing else is, is the parent', (t) => {
  const manager = new AsyncLocalStorageContextManager();
  register(t, manager);
  const whole = ROOT_CONTEXT.setValue(createContextKey('the process'), true);
  const active = manager.active.bind(manager);
  manager.active = () => (active() === ROOT_CONTEXT ? whole : active());
  assert.equal(activeContext(), whole);
  tracer.startActiveSpan('a', (span) => assert.equal(trace.getSpan(activeContext()), span));
});
