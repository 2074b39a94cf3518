import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { cannotChangeUser } from '../process/as-user.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const skip = cannotChangeUser();
const SPANS = 3000;

interface Scene {
  program: Program;
  endpoint: OtlpEndpoint;
  url: string;
}

async function start(t: TestContext, where: string, env: Record<string, string> = {}): Promise<Scene> {
  const endpoint = await OtlpEndpoint.start(t);
  const temp = await tempDir(t);
  chmodSync(temp, 0o1777);
  const program = runProgram(t, fixture('changed-user'), {
    args: [where],
    execArgv: where === 'listening' ? ['--import', 'forktrace/register'] : [],
    env: {
      TMPDIR: temp,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      NODE_ENV: 'production',
      FORKTRACE_OUTGOING: 'false',
      ...env,
    },
  });
  await program.waitForOutput(/serving http:\S+\d/);
  return { program, endpoint, url: /serving (http:\S+\d)/.exec(program.stdout)![1]! };
}

/** As many spans as several segments hold, all by `nobody`. */
async function work({ url }: Scene): Promise<void> {
  const response = await fetch(`${url}/work?spans=${SPANS}`);
  assert.equal(await response.text(), '65534');
}

const isWork = ({ name, attributes }: ReceivedSpan) => name.startsWith('step') || attributes['url.path'] === '/work';

const said = (program: Program, code: string) => program.stderr.split(`[${code}]`).length - 1;

const CASES = [
  ['listening', 'mmap'],
  ['listening', 'write'],
  ['worker', 'mmap'],
  ['coordinator', 'mmap'],
] as const;

for (const [where, mode] of CASES) {
  test(`no span is lost to another user: ${where}, ${mode}`, { skip }, async (t) => {
    const scene = await start(t, where, { FORKTRACE_JOURNAL_MODE: mode });
    const { program, endpoint, url } = scene;
    await work(scene);
    await endpoint.waitForSpans((spans) => spans.filter(isWork).length > SPANS);
    const ids = endpoint
      .received()
      .filter(isWork)
      .map(({ spanId }) => spanId);
    assert.equal(ids.length, SPANS + 1);
    assert.equal(new Set(ids).size, SPANS + 1);

    // Its in-flight table is still the one that it had as root.
    fetch(`${url}/wait`).catch(() => {});
    await program.waitForOutput(/waiting \d+/);
    process.kill(Number(/waiting (\d+)/.exec(program.stdout)![1]), 'SIGKILL');
    const isInterrupted = ({ attributes }: ReceivedSpan) => attributes['error.type'] === 'worker.exit';
    await endpoint.waitForSpans((spans) => spans.some(isInterrupted));
    const { events } = endpoint.received().find(isInterrupted)!;
    if (where !== 'listening') assert.equal(events[0]!.attributes['forktrace.exit.signal'], 'SIGKILL');

    assert.equal(said(program, 'FORKTRACE_USER_CHANGED'), 1, program.stderr);
    assert.doesNotMatch(program.stderr, /FORKTRACE_(SHIPPER|JOURNAL)/);
  });
}

test('what no directory takes is counted: delivered and lost together are all', { skip }, async (t) => {
  const temp = await tempDir(t);
  chmodSync(temp, 0o755);
  const scene = await start(t, 'listening', { TMPDIR: temp });
  const { program, endpoint, url } = scene;
  await work(scene);
  fetch(`${url}/exit`).catch(() => {});
  await program.waitForExit();
  const lost = () => [...program.stderr.matchAll(/Spans lost: (\d+), because user 65534 cannot create files in/g)];
  const total = () =>
    lost().reduce((sum, [, spans]) => sum + Number(spans), 0) + endpoint.received().filter(isWork).length;
  await waitFor(
    () => total() === SPANS + 1,
    () => `${SPANS + 1} spans, delivered or said to be lost: ${total()}; ${program.stderr}`,
  );
  assert.doesNotMatch(program.stderr, /FORKTRACE_SHIPPER/);
});
