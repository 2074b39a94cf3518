import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { span } from 'forktrace';
import { LegacyShop } from './legacy/shop.js';
import { recordSpans } from './recorded-spans.js';
import { StandardShop } from './shop.js';

const recorded = recordSpans();

for (const [dialect, Shop] of [
  ['standard', StandardShop],
  ['legacy', LegacyShop],
] as const) {
  test(`${dialect} decorator: this, arguments, result, name and length are kept`, () => {
    const shop = new Shop();
    assert.equal(shop.price('a'), 'a:5');
    assert.equal(shop.price.name, 'price');
    assert.equal(shop.price.length, 1);
    assert.deepEqual(
      recorded.take().map(({ name }) => name),
      [`${Shop.name}.price`],
    );
  });

  test(`${dialect} decorator with options: name, and attributes of the arguments`, async () => {
    assert.equal(await new Shop().stock('pen'), 5);
    const [stock] = recorded.take();
    assert.equal(stock!.name, 'stock');
    assert.deepEqual(stock!.attributes, { sku: 'pen' });
  });

  test(`${dialect} decorator on a static method`, async () => {
    assert.equal(await Shop.open(), Shop.name);
    assert.equal(recorded.take()[0]!.name, `${Shop.name}.open`);
  });

  test(`${dialect} decorator on a getter`, () => {
    assert.equal(new Shop().left, 5);
    assert.equal(recorded.take()[0]!.name, `${Shop.name}.left`);
  });

  test(`${dialect} decorator on a generator`, () => {
    assert.deepEqual([...new Shop().items()], [1, 2]);
    assert.equal(recorded.take()[0]!.name, `${Shop.name}.items`);
  });
}

test('standard decorator on a private method', () => {
  assert.equal(new StandardShop().reveal(), 'secret 5');
  assert.equal(recorded.take()[0]!.name, 'StandardShop.#secret');
});

test('a wrapped function keeps this, name and length, and its span is active inside', () => {
  function greet(this: { greeting: string }, name: string) {
    return `${this.greeting} ${name} ${trace.getActiveSpan() !== undefined}`;
  }
  const traced = span(greet);
  assert.equal(traced.call({ greeting: 'hi' }, 'you'), 'hi you true');
  assert.equal(traced.name, 'greet');
  assert.equal(traced.length, 1);
  assert.equal(trace.getActiveSpan(), undefined);
  assert.equal(recorded.take()[0]!.name, 'greet');
});

test('options name, kind, attributes and tracer', () => {
  const tracer = recorded.provider.getTracer('own');
  const traced = span({ name: 'n', kind: SpanKind.CLIENT, attributes: { a: 1 }, tracer }, (x: number) => x + 1);
  assert.equal(traced(1), 2);
  const [one] = recorded.take();
  assert.equal(one!.name, 'n');
  assert.equal(one!.kind, SpanKind.CLIENT);
  assert.deepEqual(one!.attributes, { a: 1 });
  assert.equal(one!.instrumentationScope.name, 'own');
});

test('nested calls are children, across awaits', async () => {
  const inner = span(async function inner() {
    await new Promise((resolve) => setImmediate(resolve));
  });
  const outer = span(async function outer() {
    await inner();
    await inner();
  });
  await outer();
  const spans = recorded.take();
  assert.deepEqual(
    spans.map(({ name }) => name),
    ['inner', 'inner', 'outer'],
  );
  const parent = spans[2]!.spanContext().spanId;
  assert.ok(spans.slice(0, 2).every(({ parentSpanContext }) => parentSpanContext?.spanId === parent));
});

test('what a function throws is recorded and thrown on', () => {
  const error = new RangeError('too far');
  const traced = span(() => {
    throw error;
  });
  assert.throws(traced, (thrown) => thrown === error);
  const [failed] = recorded.take();
  assert.deepEqual(failed!.status, { code: SpanStatusCode.ERROR, message: 'too far' });
  assert.equal(failed!.events[0]!.attributes!['exception.type'], 'RangeError');
});

test('a rejection is recorded and rejects on; a value that is no error too', async () => {
  const traced = span(async () => {
    throw 'plain';
  });
  await assert.rejects(traced(), (thrown) => thrown === 'plain');
  const [failed] = recorded.take();
  assert.equal(failed!.status.message, 'plain');
  assert.equal(failed!.events[0]!.attributes!['exception.message'], 'plain');
});

test('a promise that is not native is awaited by its own then', async () => {
  let settle: ((value: number) => void) | undefined;
  const thenable: PromiseLike<number> = {
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    then: (resolve) => {
      settle = resolve as never;
      return thenable as never;
    },
  };
  span(() => thenable)();
  assert.equal(recorded.take().length, 0);
  settle!(7);
  assert.equal(recorded.take().length, 1);
});

test('an attributes function that throws is recorded, and the function runs', () => {
  const traced = span(
    {
      name: 'n',
      attributes: () => {
        throw new Error('no attributes');
      },
    },
    () => 'ran',
  );
  assert.equal(traced(), 'ran');
  assert.equal(recorded.take()[0]!.events[0]!.attributes!['exception.message'], 'no attributes');
});

test('a generator: the span ends with the iteration, and is active in each step', () => {
  const active: (string | undefined)[] = [];
  const traced = span(function* numbers() {
    active.push(trace.getActiveSpan()?.spanContext().spanId);
    const sent: unknown = yield 1;
    active.push(trace.getActiveSpan()?.spanContext().spanId);
    return sent;
  });
  const iteration = traced();
  assert.deepEqual(iteration.next(), { value: 1, done: false });
  assert.equal(recorded.take().length, 0);
  assert.deepEqual(iteration.next('sent'), { value: 'sent', done: true });
  const [ended] = recorded.take();
  assert.deepEqual(active, [ended!.spanContext().spanId, ended!.spanContext().spanId]);
});

test('a loop that breaks ends the span of a generator', () => {
  const cleaned: string[] = [];
  const traced = span(function* endless() {
    try {
      for (;;) yield 1;
    } finally {
      cleaned.push('yes');
    }
  });
  for (const _ of traced()) break;
  assert.deepEqual(cleaned, ['yes']);
  assert.equal(recorded.take().length, 1);
});

test('a generator that throws, and one that nobody iterates', () => {
  const traced = span(function* broken() {
    yield 1;
    throw new Error('broken');
  });
  assert.throws(() => [...traced()], /broken/);
  assert.equal(recorded.take()[0]!.status.code, SpanStatusCode.ERROR);
  traced();
  assert.deepEqual(traced().return(undefined as never), { value: undefined, done: true });
  assert.equal(recorded.take().length, 0);
});

test('an async generator: end, break and throw end the span', async () => {
  const traced = span(async function* pages(fail: boolean) {
    yield 1;
    await new Promise((resolve) => setImmediate(resolve));
    if (fail) throw new Error('no page');
    yield 2;
  });
  const seen: number[] = [];
  for await (const page of traced(false)) seen.push(page);
  assert.deepEqual(seen, [1, 2]);
  assert.equal(recorded.take().length, 1);
  for await (const _ of traced(false)) break;
  assert.equal(recorded.take().length, 1);
  await assert.rejects(async () => {
    for await (const _ of traced(true));
  }, /no page/);
  assert.equal(recorded.take()[0]!.status.message, 'no page');
});

test('a generator keeps the context of its call as parent', () => {
  const traced = span(function* numbers() {
    yield 1;
  });
  const root = recorded.provider.getTracer('t').startSpan('root');
  const iteration = context.with(trace.setSpan(context.active(), root), () => traced());
  iteration.next();
  iteration.next();
  assert.equal(recorded.take()[0]!.parentSpanContext?.spanId, root.spanContext().spanId);
});

test('anything but a function or a method is an error', () => {
  const misuse = span as unknown as (...args: unknown[]) => unknown;
  const field = { kind: 'field', name: 'x', addInitializer() {} };
  assert.throws(() => misuse(undefined, field), { code: 'FORKTRACE_SPAN_TARGET', message: /got a field/ });
  assert.throws(() => misuse({}, 'x', { value: 7 }), { code: 'FORKTRACE_SPAN_TARGET', message: /got 7/ });
  assert.throws(() => misuse(7), { code: 'FORKTRACE_SPAN_TARGET' });
  assert.throws(() => misuse(class Basket {}), { code: 'FORKTRACE_SPAN_TARGET', message: /class Basket/ });
});

test('attributes of the arguments are there at the start, where a sampler decides', () => {
  const seen: unknown[] = [];
  const sampler = {
    shouldSample: (...args: unknown[]) => {
      seen.push(args[4]);
      return { decision: 0 };
    },
    toString: () => 'seeing',
  };
  const tracer = new BasicTracerProvider({ sampler }).getTracer('sampled');
  span({ name: 'n', tracer, attributes: (a: number) => ({ a }) }, (a: number) => a)(7);
  assert.deepEqual(seen, [{ a: 7 }]);
});

test('a rejection that nobody handles stays unhandled', () => {
  const program = `import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { span } from 'forktrace'; span(async () => { throw new Error('nobody looks'); })();`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });
  assert.equal(status, 1);
  assert.match(stderr, /nobody looks/);
});
