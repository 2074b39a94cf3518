import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { listenLastToExit } from '#src/worker/last-exit-listener.js';

function listen(t: TestContext, listener: () => void): () => void {
  process.on('exit', listener);
  t.after(() => process.off('exit', listener));
  return listener;
}

/** As it is added, the last listener is ours. */
function ours(t: TestContext): unknown {
  t.after(listenLastToExit(() => {}));
  return process.listeners('exit').at(-1);
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const times = (listener: unknown) => process.listeners('exit').filter((each) => each === listener).length;

test('it stays behind those that are added later, once for all of a turn', async (t) => {
  const last = ours(t);
  const added = Array.from({ length: 3 }, () => listen(t, () => {}));
  await nextTurn();
  assert.deepEqual(process.listeners('exit').slice(-4), [...added, last]);
  assert.equal(times(last), 1);
});

test('another one that wants to be the last does not hold up the event loop', async (t) => {
  const last = ours(t);
  const theirs = () => {};
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
  for (const one of [last, theirs]) assert.equal(times(one), 1, 'each is there once');
});

test('it is gone when it is taken back', async () => {
  const { reallyExit } = process as { reallyExit?: unknown };
  const before = [process.listenerCount('exit'), process.listenerCount('newListener')];
  const takeBack = listenLastToExit(() => {});
  takeBack();
  await nextTurn();
  assert.deepEqual([process.listenerCount('exit'), process.listenerCount('newListener')], before);
  assert.equal((process as { reallyExit?: unknown }).reallyExit, reallyExit);
});

test('one that another has been put on top of does nothing any more', (t) => {
  const exiting = process as unknown as { reallyExit: (code: number) => void };
  const { reallyExit } = exiting;
  t.after(() => Object.assign(exiting, { reallyExit }));
  const ended: number[] = [];
  exiting.reallyExit = (code) => void ended.push(code);
  const heard: number[] = [];
  const takeBack = listenLastToExit((code) => heard.push(code));
  const listening = exiting.reallyExit;
  exiting.reallyExit = (code) => listening(code);
  exiting.reallyExit(-1);
  exiting.reallyExit(-1);
  takeBack();
  exiting.reallyExit(3);
  assert.deepEqual({ heard, ended }, { heard: [255], ended: [-1, -1, 3] });
});
