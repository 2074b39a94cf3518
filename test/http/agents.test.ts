// Agents of other vendors wrap HTTP servers, too. Beside them each request has its one span, and they lose
// nothing.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { installedIn } from '../process/frameworks.js';
import { runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';

const folder = fileURLToPath(new URL('../../test/agents/', import.meta.url));
const register = ['--import', import.meta.resolve('forktrace/register')];
const AGENTS = ['dd-trace', 'newrelic', '@sentry/node', 'elastic-apm-node', '@pm2/io'];
const ORDERS: Record<string, string[]> = {
  'before forktrace': ['--require', `${folder}agent.cjs`, ...register],
  'by the app': register,
};

describe('agents of other vendors', { timeout: 400_000 }, () => {
  before(async () => void (await installedIn('test/agents')));

  for (const agent of AGENTS) {
    for (const [order, execArgv] of Object.entries(ORDERS)) {
      it(`${agent}, loaded ${order}, sees each request, which has one SERVER span`, async (t) => {
        const endpoint = await OtlpEndpoint.start(t);
        const program = runProgram(t, `${folder}server.cjs`, {
          cwd: folder,
          execArgv,
          ipc: true,
          env: {
            AGENT: agent,
            NOWHERE: 'http://127.0.0.1:9',
            NODE_ENV: 'production',
            OTEL_SERVICE_NAME: 'shop',
            OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
            FORKTRACE_EXPORT: 'otlp-grpc',
            FORKTRACE_PIPELINE: 'batch',
            OTEL_BSP_SCHEDULE_DELAY: '50',
          },
        });
        const [, port] = await program.waitForOutput(/listening on (\d+)/, 60_000);
        let asked = 0;
        const ask = async () => {
          asked++;
          const answer = await fetch(`http://127.0.0.1:${port}/${asked}`, { headers: { connection: 'close' } });
          return answer.text();
        };
        // One of them counts, and says so once a second.
        await waitFor(
          async () => (await ask()) === 'true',
          () => `${agent} sees requests; output: ${program.output}`,
        );
        const servers = () => endpoint.received().filter(({ kind }) => kind === OtlpSpanKind.SERVER);
        await waitFor(
          () => servers().length >= asked,
          () => `${asked} spans; output: ${program.output}`,
        );
        assert.equal(new Set(servers().map(({ attributes }) => attributes['url.path'])).size, asked);
        assert.equal(servers().length, asked);
      });
    }
  }
});
