import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it, type TestContext } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const SCHEMA = 'https://opentelemetry.io/schemas/1.45.0';

async function start(t: TestContext, env: Record<string, string> = {}) {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('awaited-resource'), {
    ipc: true,
    env: {
      FORKTRACE_EXPORT_GATHER_MS: '100',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      FORKTRACE_EXPORT: 'otlp-grpc',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...env,
    },
  });
  await waitFor(
    () => program.messages.length > 0,
    () => `the program; output: ${program.output}`,
  );
  let done = 1;
  const tell = async (...message: string[]) => {
    program.child.send(message);
    done++;
    await waitFor(
      () => program.messages.length >= done,
      () => `${message[0]}; output: ${program.output}`,
    );
  };
  return { endpoint, program, tell };
}

const settings: [string, Record<string, string>][] = [
  ['the journal', {}],
  ['the journal in mode write', { FORKTRACE_JOURNAL_MODE: 'write' }],
  ['the journal, shipped inline', { FORKTRACE_SHIP: 'inline' }],
  ["the SDK's own processor", { FORKTRACE_PIPELINE: 'batch' }],
];

describe('attributes of the resource that come late', { timeout: 120_000 }, () => {
  for (const [what, env] of settings) {
    it(`are on all spans, those of before too, and so is the schema, with ${what}`, async (t) => {
      const { endpoint, tell } = await start(t, env);
      await tell('span', 'before');
      await tell('spans', env.FORKTRACE_PIPELINE === 'batch' ? '10' : '1500');
      const count = env.FORKTRACE_PIPELINE === 'batch' ? 11 : 1501;
      // Ten times as long as the shipper gathers: as with the SDK, nothing is exported meanwhile.
      await new Promise((resolve) => setTimeout(resolve, 1000));
      assert.equal(endpoint.received().length, 0);
      await tell('settle', 'eu-1');
      await tell('span', 'after');
      const spans = await endpoint.waitForSpans(count + 1);
      for (const { resource, schemaUrl } of spans) {
        assert.equal(resource['cloud.region'], 'eu-1');
        assert.equal(resource['host.name'], 'host in eu-1');
        assert.equal(resource['cloud.resource_id'], 'r'.repeat(5000));
        assert.equal(resource.team, 'shop');
        assert.equal(resource['service.name'], 'awaiting');
        assert.equal(resource['telemetry.sdk.language'], 'nodejs');
        assert.equal(schemaUrl, SCHEMA);
      }
      assert.equal(spans.length, count + 1);
    });
  }

  for (const outcome of ['refuse', 'none']) {
    it(`${outcome === 'refuse' ? 'that fail' : 'that turn out not to exist'} are left out, and those that they would replace stay`, async (t) => {
      const { endpoint, tell } = await start(t);
      await tell('span', 'one');
      await tell(outcome);
      const [span] = await endpoint.waitForSpans(1);
      assert.equal('cloud.region' in span!.resource, false);
      assert.equal(span!.resource['host.name'], hostname());
    });
  }

  it('are on interrupted spans and log records, when the process is killed later', async (t) => {
    const { endpoint, program, tell } = await start(t, { FORKTRACE_LOGS: 'true' });
    await tell('open', 'interrupted');
    await tell('log', 'early');
    await tell('settle', 'eu-1');
    await tell('log', 'late');
    program.child.kill('SIGKILL');
    const [span] = await endpoint.waitForSpans(1);
    assert.equal(span!.name, 'interrupted');
    assert.equal(span!.resource['cloud.region'], 'eu-1');
    assert.equal(span!.schemaUrl, SCHEMA);
    for (const { resource } of await endpoint.waitForLogs(2)) assert.equal(resource['cloud.region'], 'eu-1');
  });

  for (const [end, delivered] of [
    ['killed', ['ended', 'interrupted']],
    ['at its end', ['ended', 'interrupted']],
    ['shut down', ['ended']],
  ] as const) {
    it(`that never come hold nothing back when the process is ${end}`, async (t) => {
      const { endpoint, program, tell } = await start(t);
      await tell('span', 'ended');
      if (end === 'shut down') await tell('shutdown');
      else {
        await tell('open', 'interrupted');
        if (end === 'killed') program.child.kill('SIGKILL');
        else program.child.send(['exit']);
      }
      const spans = await endpoint.waitForSpans(delivered.length);
      assert.deepEqual(spans.map(({ name }) => name).sort(), delivered);
      for (const { resource } of spans) {
        assert.equal(resource.team, 'shop');
        assert.equal(resource['service.name'], 'awaiting');
      }
    });
  }
});
