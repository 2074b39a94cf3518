import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quartiles, type Rounds, summarize } from '#bench/rate/rounds.js';
import { rateCells } from '#bench/rate/table.js';

const cpu = (worker: number, shipper = 0) => ({ cpu: { worker, shipper, others: 0 }, latency: undefined });

test('a contestant costs what it adds to the untraced server in the same round, and a share of what a peer adds', () => {
  const rounds: Rounds = new Map([
    ['bare', [cpu(50), cpu(60), cpu(55)]],
    ['ours', [cpu(52, 2), cpu(62, 2), cpu(57, 2)]],
    ['otel-2', [cpu(90), cpu(100), cpu(95)]],
  ]);
  const [bare, ours, otel] = summarize(rounds, 'ours', () => 1);
  assert.equal(bare!.all, 55);
  assert.deepEqual([ours!.worker, ours!.shipper, ours!.all, ours!.share], [2, 2, 4, undefined]);
  assert.deepEqual([otel!.all, otel!.share!.median, otel!.share!.isKnown], [40, 0.1, true]);
});

test('a ratio whose quartiles are further than 15 % from the median is not known, and neither is one of two rounds', () => {
  assert.equal(quartiles([0.9, 1, 1.1]).isKnown, true);
  assert.equal(quartiles([0.6, 1, 1.4]).isKnown, false);
  assert.equal(quartiles([1, 1]).isKnown, false);
  assert.equal(quartiles([-0.1, -0.1, -0.1]).isKnown, false);
  const row = (shares: number[]) => ({
    app: 'hello',
    asked: '50%',
    rate: 9000,
    rounds: 3,
    contestants: [{ name: 'otel-2', worker: 30, shipper: 0, others: 0, all: 30, share: quartiles(shares) } as never],
  });
  const cells = (shares: number[]) => rateCells([row(shares)]).rows[0]!;
  assert.ok(cells([0.1, 0.1, 0.1]).includes('1/10.0'));
  assert.ok(cells([0.05, 0.1, 0.2]).some((cell) => /^not known \(1\/6\.7 to 1\/13\.3\)$/.test(cell)));
  assert.equal(cells([0.1, 0.1, 0.1])[1], '9000 (50%)');
});
