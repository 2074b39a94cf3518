import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { listenLastToExit } from '#src/worker/last-exit-listener.js';

function listen(t: TestContext, listener: () => void): void {
  process.on('exit', listener);
  t.after(() => process.off('exit', listener));
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('it stays behind those that are added later, once for all of a turn', async (t) => {
  const last = () => {};
  t.after(listenLastToExit(last));
  assert.equal(process.listeners('exit').at(-1), last, 'there at once');
  for (let n = 0; n < 3; n++) listen(t, () => {});
  await nextTurn();
  assert.equal(process.listeners('exit').at(-1), last);
  assert.equal(process.listeners('exit').filter((each) => each === last).length, 1);
});

test('another one that wants to be the last does not hold up the event loop', async (t) => {
  const [ours, theirs] = [() => {}, () => {}];
  t.after(listenLastToExit(ours));
  // As ours would without a bound.
  const goLast = (event: string | symbol, added: unknown) => {
    if (event !== 'exit' || added === theirs) return;
    queueMicrotask(() => {
      process.off('exit', theirs);
      process.on('exit', theirs);
    });
  };
  process.on('newListener', goLast);
  t.after(() => process.off('newListener', goLast));
  listen(t, theirs);
  await nextTurn();
  for (const one of [ours, theirs])
    assert.equal(process.listeners('exit').filter((each) => each === one).length, 1, 'each is there once');
});

test('it is gone when it is taken back', async () => {
  const before = [process.listenerCount('exit'), process.listenerCount('newListener')];
  const takeBack = listenLastToExit(() => {});
  takeBack();
  await nextTurn();
  assert.deepEqual([process.listenerCount('exit'), process.listenerCount('newListener')], before);
});
