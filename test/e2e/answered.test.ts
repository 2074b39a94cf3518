/**
 * SIGKILL and exit around the moment in which an answer leaves: the process takes its own
 * life there, so the moment is not chance.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const BEFORE = 20;
const MOMENTS = ['end', 'write', 'next', 'idle', 'exit'];
/** The process can say itself that the answer is out, or has nothing open. */
const WHOLE = new Set(['idle', 'exit']);

for (const mode of ['mmap', 'write']) {
  test(`${mode}: whoever has an answer is in the trace with status and children, though the process is killed or ends as it leaves`, async (t) => {
    const tryOne = async (moment: string) => {
      const endpoint = await OtlpEndpoint.start(t);
      const program = runProgram(t, fixture('answering-server'), {
        env: {
          OTEL_SERVICE_NAME: 'answering',
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
          FORKTRACE_JOURNAL_DIR: join(await tempDir(t), 'journal'),
          FORKTRACE_JOURNAL_MODE: mode,
        },
      });
      const port = (await program.waitForOutput(/listens (\d+)/))[1]!;
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      t.after(() => agent.destroy());
      // On one connection, one after the other: the next one shares no turn with those before.
      for (let i = 0; i < BEFORE; i++) assert.equal(await answer(port, '/lives', agent), 'done');
      assert.equal(await answer(port, `/${moment}`, agent), 'done');
      if (moment === 'idle') {
        await sleep(300); // Nothing happens: that is the case.
        program.kill('SIGKILL');
      }
      await program.waitForExit();
      const count = BEFORE + 1;
      const isServer = ({ name }: { name: string }) => name !== 'work';
      await endpoint.waitForSpans(
        (spans) =>
          spans.filter(isServer).length >= count && spans.filter(({ name }) => name === 'work').length >= count,
      );
      const spans = endpoint.received();
      const servers = spans.filter(isServer);
      const parents = new Set(spans.flatMap(({ name, parentSpanId }) => (name === 'work' ? [parentSpanId] : [])));
      assert.equal(servers.length, count, moment);
      for (const { spanId, attributes } of servers) {
        assert.equal(attributes['http.response.status_code'], 201, moment);
        assert.ok(parents.has(spanId), `${moment}: the child of ${String(attributes['url.path'])}`);
      }
      const interrupted = servers.filter(({ attributes }) => attributes['forktrace.interrupted'] === true);
      // Only what was killed between its answer and the end of its span.
      assert.ok(interrupted.length <= (WHOLE.has(moment) ? 0 : 1), `${moment}: ${interrupted.length} are interrupted`);
    };
    await Promise.all(MOMENTS.map(tryOne));
  });
}

function answer(port: string, path: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, path, host: '127.0.0.1', agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length === Number(response.headers['content-length'])) resolve(body);
      });
      response.on('error', reject);
    }).on('error', reject);
  });
}
