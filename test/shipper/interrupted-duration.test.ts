import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { journalScene } from './journal-scene.js';

const HOUR_MS = 3_600_000;

for (const mode of ['mmap', 'write']) {
  for (const isWatched of [true, false]) {
    for (const stepMs of [2 * HOUR_MS, -2 * HOUR_MS]) {
      const clock = `a clock that is set ${Math.abs(stepMs) / HOUR_MS} hours ${stepMs > 0 ? 'ahead' : 'back'}`;
      const watch = isWatched ? 'while a shipper looks on' : 'and nobody looks on';
      test(`${mode}: ${clock} ${watch}: an interrupted span has the duration that it had`, async (t) => {
        const { dir, ship } = await journalScene(t);
        const endpoint = await OtlpEndpoint.start(t);
        const begun = performance.now();
        const writer = runProgram(t, fixture('stepped-clock'), { args: [dir, mode, String(stepMs)], ipc: true });
        await writer.waitForOutput(/in flight/);
        if (isWatched) {
          ship({ url: endpoint.grpcUrl });
          await endpoint.waitForSpans((spans) => spans.some(({ name }) => name === 'ended'));
        }
        writer.send({});
        await writer.waitForOutput(/clock is set/);
        const now = Date.now;
        t.after(() => {
          Date.now = now;
        });
        Date.now = () => now() + stepMs;
        writer.kill('SIGKILL');
        await writer.waitForExit();
        if (!isWatched) ship({ url: endpoint.grpcUrl });
        const isInterrupted = ({ attributes }: { attributes: object }) => 'forktrace.interrupted' in attributes;
        await endpoint.waitForSpans((spans) => spans.filter(isInterrupted).length === 2);
        const mostMs = performance.now() - begun;
        const durationOf = (name: string) => {
          const { start, end } = endpoint.received().find((span) => span.name === name)!;
          return Number(end - start) / 1e6;
        };
        assert.ok(durationOf('now') > 0 && durationOf('now') < mostMs, `${durationOf('now')} of ${mostMs} ms`);
        // Its start is the program's own word, an hour before: the calendar alone says when it ended.
        if (stepMs > 0) assert.ok(durationOf('from a queue') > 3 * HOUR_MS - 1000);
      });
    }
  }
}
