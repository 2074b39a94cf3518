import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verdicts } from '#bench/budgets.js';
import { prioritizeSession } from '#bench/processes.js';
import { inRounds, quartiles, type Rounds, summarize } from '#bench/rate/rounds.js';
import { rateCells } from '#bench/rate/table.js';
import { readmeShare, reportPage } from '#bench/report-page.js';
import { tempDir } from '../process/temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

const cpu = (worker: number, shipper = 0) => ({ cpu: { worker, shipper, others: 0 }, latency: undefined });

test('a contestant costs what it adds to the untraced server in the same round, and a share of what a peer adds', () => {
  const rounds: Rounds = new Map([
    ['untraced', [cpu(50), cpu(60), cpu(55)]],
    ['ours', [cpu(52, 2), cpu(62, 2), cpu(57, 2)]],
    ['otel-2', [cpu(90), cpu(100), cpu(95)]],
  ]);
  const [untraced, ours, otel] = summarize(rounds, 'ours', () => 1);
  assert.equal(untraced!.all, 55);
  assert.deepEqual([ours!.worker, ours!.shipper, ours!.all, ours!.share], [2, 2, 4, undefined]);
  assert.deepEqual([otel!.all, otel!.share!.median, otel!.share!.isKnown], [40, 0.1, true]);
});

test('passes that follow each other are put together into rounds, none is left out, and few are not put together', () => {
  const latency = (p99: number) => ({ p50: 1, p99, p999: 9 });
  const windows = [1, 2, 3, 4, 5, 6, 7].map((worker) => ({ ...cpu(worker, 2 * worker), latency: latency(worker) }));
  const rounds = (count: number, most: number) =>
    inRounds(new Map([['untraced', windows.slice(0, count)]]), most).get('untraced')!;
  assert.deepEqual(
    rounds(7, 3).map((round) => [round.cpu.worker, round.cpu.shipper, round.latency?.p99]),
    [
      [1.5, 3, 1.5],
      [3.5, 7, 3.5],
      [6, 12, 6],
    ],
  );
  assert.deepEqual(
    rounds(2, 5).map((round) => round.cpu.worker),
    [1, 2],
  );
  assert.equal(inRounds(new Map([['untraced', [cpu(1)]]]), 5).get('untraced')![0]!.latency, undefined);
});

test('a ratio of latencies is of the rounds in which both are known', () => {
  const window = (p99: number | undefined) => ({
    ...cpu(50),
    latency: p99 === undefined ? undefined : { p50: 1, p99, p999: 9 },
  });
  const rounds: Rounds = new Map([
    ['untraced', [window(2), window(undefined), window(2)]],
    ['ours', [window(3), window(9), window(3)]],
    ['otel-2', [window(undefined), window(9), window(undefined)]],
  ]);
  const [untraced, ours, otel] = summarize(rounds, 'ours', () => 1);
  assert.equal(untraced!.p99Ratio, undefined);
  assert.equal(ours!.p99Ratio!.median, 1.5);
  assert.equal(otel!.p99Ratio, undefined);
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
    unable: ['slow'],
    contestants: [{ name: 'otel-2', worker: 30, shipper: 0, others: 0, all: 30, share: quartiles(shares) } as never],
  });
  const cells = (shares: number[]) => rateCells([row(shares)]).rows[0]!;
  assert.ok(cells([0.1, 0.1, 0.1]).includes('1/10.0'));
  assert.ok(cells([0.05, 0.1, 0.2]).some((cell) => /^not known \(1\/6\.7 to 1\/13\.3\)$/.test(cell)));
  assert.equal(cells([0.1, 0.1, 0.1])[1], '9000 (50%)');
  assert.deepEqual(rateCells([row([0.1])]).rows[1]!.slice(2, 4), ['slow', 'cannot keep this rate']);
});

/** What the reports read from now on. */
async function copyOfResults(t: TestContext): Promise<string> {
  const dir = await tempDir(t);
  cpSync(join(root, 'bench/results'), dir, { recursive: true });
  process.env.BENCH_RESULTS = dir;
  t.after(() => delete process.env.BENCH_RESULTS);
  return dir;
}

test('the page, the README and the verdicts have what was measured at fixed rates', async (t) => {
  const dir = await copyOfResults(t);
  const rounds: Rounds = new Map([
    ['untraced', [cpu(50), cpu(50), cpu(50)]],
    ['forktrace-journal-mmap', [cpu(51, 1), cpu(51, 1), cpu(51, 1)]],
    ['otel-2', [cpu(90), cpu(90), cpu(90)]],
  ]);
  const row = { asked: '2000', rate: 2000, rounds: 3, unable: [] };
  const contestants = summarize(rounds, 'forktrace-journal-mmap', () => 1);
  writeFileSync(
    join(dir, 'rate.json'),
    JSON.stringify({
      node: 'v24',
      windowMs: 2000,
      rows: ['hello', 'express'].map((app) => ({ ...row, app, contestants })),
    }),
  );
  const found = verdicts().find(({ what }) => what.startsWith('CPU added by hello-world'))!;
  assert.deepEqual([found.measured, found.held], ['1/20.0', true]);
  const unknown = verdicts().find(({ what }) => what.startsWith('CPU added by Fastify'))!;
  assert.deepEqual([unknown.measured, unknown.held], ['not measured', false]);
  assert.match(
    reportPage(verdicts()),
    /### An application at 2,000 requests a second[\s\S]*otel-2 \| 40\.0 .*1\/20\.0/,
  );
  assert.match(readmeShare(), /CPU added to a request, Express[^(|]*\| \+2 µs \| \+40 µs \| – \|/);
});

test('a verdict and the README say so where the rounds are too far apart, and the verdict is by three quarters of them', async (t) => {
  const dir = await copyOfResults(t);
  const rounds: Rounds = new Map([
    ['untraced', [cpu(50), cpu(50), cpu(50)]],
    ['forktrace-journal-mmap', [cpu(50, 0.5), cpu(50, 0.8), cpu(50, 8)]],
    ['otel-2', [cpu(90), cpu(90), cpu(90)]],
  ]);
  const others: Rounds = new Map([...rounds, ['forktrace-journal-mmap', [cpu(50.5), cpu(52), cpu(52.4)]]]);
  const row = (app: string, of: Rounds) => {
    const contestants = summarize(of, 'forktrace-journal-mmap', () => 1);
    return { app, asked: '2000', rate: 2000, rounds: 3, unable: [], contestants };
  };
  const rows = [row('hello', rounds), row('express', others)];
  writeFileSync(join(dir, 'rate.json'), JSON.stringify({ node: 'v24', windowMs: 2000, rows }));
  const memory = { worker: 9e7, young: 1e7, added: 14e6, addedThreeQuarters: 16e6, addedRest: 1e7 };
  const beside = {
    ...{ shipper: 40e6, shipperThreeQuarters: 46e6, shipperIdle: 0.0014, shipperIdleThreeQuarters: 0.0016 },
    name: 'forktrace-journal-mmap',
  };
  writeFileSync(
    join(dir, 'memory.json'),
    JSON.stringify({
      node: 'v24',
      options: { rounds: 3, requests: 1 },
      rows: [
        { ...memory, ...beside, app: 'hello', addedThreeQuarters: 15e6, shipper: 50e6 },
        { ...memory, ...beside, app: 'express' },
      ],
    }),
  );
  const found = (what: string) => {
    const { measured, threeQuarters, held } = verdicts().find((one) => one.what.includes(what))!;
    return [measured, threeQuarters, held];
  };
  assert.deepEqual(found('added by hello'), ['1/50.0 (not known: the rounds disagree)', '1/9.1', false]);
  // Three quarters of the rounds hold it.
  assert.deepEqual(found('added by Express, 3 child'), ['1/20.0 (not known: the rounds disagree)', '1/18.2', false]);
  assert.deepEqual(found('per span at 2,000'), ['0.80 µs', '8.00 µs', false]);
  assert.deepEqual(found('while nothing is traced'), ['0.14 %', '0.16 %', true]);
  assert.deepEqual(found('per worker, hello'), ['14.00 MB', '15.00 MB', true]);
  assert.deepEqual(found('per worker, Express'), ['14.00 MB', '16.00 MB', false]);
  assert.deepEqual(found('memory of the shipper'), ['40.00 MB', '46.00 MB', false]);
  assert.match(readmeShare(), /CPU added to a request, Express.*\(its rounds are more than 15 % apart\)/);
  assert.match(reportPage(verdicts()), /\| express \| forktrace-journal-mmap \| 90\.0 .*\| 40\.0 \| 0\.14 % \|/);
});

test('a session that goes before others while it is measured goes with them again afterwards', {
  skip: process.getuid?.() === 0 && existsSync('/proc/self/autogroup') ? false : 'needs Linux, autogroup and root',
}, async (t) => {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const nice = () => /nice (-?\d+)/.exec(readFileSync(`/proc/${child.pid}/autogroup`, 'utf8'))?.[1];
  const before = nice();
  const restore = prioritizeSession(child.pid!);
  assert.equal(nice(), '-20');
  restore();
  assert.equal(nice(), before);
});
