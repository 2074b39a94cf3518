import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probe } from '#bench/arrival.js';
import { apps, Contestant } from '#bench/contestant.js';
import { Load } from '#bench/load.js';

test('what a contestant records arrives and is asserted; what does not arrive fails', async (t) => {
  const contestant = new Contestant('forktrace-journal-mmap');
  const load = new Load();
  t.after(async () => {
    await load.stop();
    await contestant.stop();
  });
  await contestant.start('express');
  const { path, spans } = apps.express!;
  const attributes = await probe(contestant, path, spans);
  assert.ok(attributes.includes('http.route') && attributes.includes('http.request.method'), attributes.join());
  await assert.rejects(probe(contestant, path, spans - 1), /spans of GET/);
  await assert.rejects(probe(contestant, path, spans + 1, 3000), /no trace of GET .* has arrived/);

  await load.connect({ port: contestant.port, path, connections: 4 });
  await load.flatOut(200);
  contestant.expected = (3 + 4 + 200) * spans;
  await contestant.settle();
  assert.equal(contestant.delivered, 1);
});

test('an untraced server reports nothing', async (t) => {
  const contestant = new Contestant('untraced');
  t.after(() => contestant.stop());
  await contestant.start('hello');
  await assert.rejects(probe(contestant, '/', 1, 500), /untraced: no trace/);
  assert.equal(contestant.delivered, undefined);
});
