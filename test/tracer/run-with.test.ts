import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { test } from 'node:test';
import { runWith } from '#src/tracer/run-with.js';

type Run = typeof runWith;

const withRun: Run = (storage, active, fn, argument) => storage.run(active, fn, argument);

function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

/** What three storages hold at each step of a program that a seed makes up, the first one run by `run`. */
async function trail(run: Run, seed: number): Promise<unknown[]> {
  const random = randomOf(seed);
  const [own, ...others] = [0, 1, 2].map(() => new AsyncLocalStorage<number>());
  const seen: unknown[] = [];
  const see = (where: string) => seen.push([where, own!.getStore(), ...others.map((other) => other.getStore())]);
  const later: Promise<unknown>[] = [];
  let count = 0;

  function step(depth: number): number {
    const id = ++count;
    const other = others[random(2)]!;
    see(`begins ${id}`);
    switch (depth > 5 ? 7 : random(8)) {
      case 0:
      case 1:
        run(own!, id, step, depth + 1);
        break;
      case 2:
        other.run(id, step, depth + 1);
        break;
      case 3:
        other.enterWith(id);
        break;
      case 4:
        own!.enterWith(id);
        break;
      case 5:
        later.push(
          run(
            own!,
            id,
            async () => {
              await new Promise((resolve) => setImmediate(resolve));
              see(`later ${id}`);
              step(depth + 1);
            },
            undefined,
          ),
        );
        break;
      case 6:
        assert.throws(
          () =>
            run(
              own!,
              id,
              () => {
                step(depth + 1);
                throw new Error('by design');
              },
              undefined,
            ),
          /design/,
        );
        break;
      default:
        other.exit(() => see(`outside ${id}`));
        new AsyncResource('test').runInAsyncScope(see, undefined, `resource ${id}`);
    }
    see(`ends ${id}`);
    return id;
  }

  // Each a callback of its own, where nothing is entered.
  for (let round = 0; round < 3; round++) {
    await new Promise<void>((resolve) =>
      setImmediate(() => {
        for (let n = 0; n < 8; n++) run(own!, -n, step, 1);
        for (let n = 0; n < 8; n++) step(1);
        resolve();
      }),
    );
    while (later.length > 0) await Promise.all(later.splice(0));
  }
  return seen;
}

test('what storages hold is the same as with AsyncLocalStorage.run, whatever a function enters, starts or throws', async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const [expected, actual] = [await trail(withRun, seed), await trail(runWith, seed)];
    assert.ok(expected.length > 100);
    assert.deepEqual(actual, expected, `seed ${seed}`);
  }
});

test('it returns what the function returns, and hands the argument on', () => {
  const storage = new AsyncLocalStorage<string>();
  assert.equal(
    runWith(storage, 'active', (more) => `${storage.getStore()} ${more}`, 'argument'),
    'active argument',
  );
  assert.equal(storage.getStore(), undefined);
});

test('one frame is made, where Node.js has them', (t) => {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 24) return t.skip('frames come with Node.js 24');
  const { enterWith } = AsyncLocalStorage.prototype;
  t.after(() => {
    AsyncLocalStorage.prototype.enterWith = enterWith;
  });
  let entered = 0;
  AsyncLocalStorage.prototype.enterWith = function count(store) {
    entered++;
    enterWith.call(this, store);
  };
  runWith(new AsyncLocalStorage<string>(), 'active', () => {}, undefined);
  assert.equal(entered, 1);
});
