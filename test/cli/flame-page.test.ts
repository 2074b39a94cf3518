import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flamePage } from '#src/cli/flame-page.js';
import type { Flame } from '#src/forensics/cpu-profile.js';

const flame = (name: string, totalUs: number, children: Flame[] = [], place = '/app.js:1'): Flame => ({
  name,
  place,
  totalUs,
  selfUs: totalUs - children.reduce((sum, child) => sum + child.totalUs, 0),
  children,
});

test('boxes are as wide as their share of the caller, what nobody sees is left out, and names are text', () => {
  const root = flame('all', 1_000_000, [
    flame('<img src=x onerror=alert(1)>', 600_000, [flame('inner', 300_000)]),
    flame('tiny', 400),
    flame('writeUtf8String', 100_000, [], ''),
  ]);
  const page = flamePage(root, 'slot 0: 1000 ms of work in 5 s & "more"');
  assert.doesNotMatch(page, /<img|tiny/);
  assert.match(page, /<title>slot 0: 1000 ms of work in 5 s &#38; &#34;more&#34;<\/title>/);
  assert.match(page, /style="flex: 0\.60000 1 0"><b title="&#60;img/);
  assert.match(page, /style="flex: 0\.50000 1 0"><b title="inner \/app\.js:1\n300\.0 ms, 30\.0 %; its own 300\.0 ms"/);
  assert.match(page, /class="box node" style="flex: 0\.10000 1 0"><b title="writeUtf8String/);
});

test('a profile in which nothing ran says so', () => {
  assert.match(flamePage(flame('all', 0), 'idle'), /Nothing ran\./);
});
