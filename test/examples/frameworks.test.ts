import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';

for (const framework of ['express', 'fastify', 'koa', 'hono', 'nest']) {
  test(`the ${framework} example serves a traced cluster whose spans have their routes`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const port = await freePort();
    const path = fileURLToPath(new URL(`../../dist-examples/${framework}/server.js`, import.meta.url));
    const program = runProgram(t, path, {
      env: {
        NODE_ENV: 'production',
        PORT: String(port),
        WEB_CONCURRENCY: '2',
        FORKTRACE_PIPELINE: 'batch',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        OTEL_BSP_SCHEDULE_DELAY: '50',
      },
    });
    await program.waitForOutput(/listening on http/);
    const pids = new Set<number>();
    await waitFor(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/books/7`, { headers: { connection: 'close' } });
      const body = (await response.json()) as { id: string; pid: number };
      assert.equal(body.id, '7');
      return pids.add(body.pid).size === 2;
    }, 'both workers');
    program.kill('SIGTERM');
    await program.waitForExit();
    const spans = await endpoint.waitForSpans(2);
    for (const span of spans) {
      assert.equal(span.name, 'GET /books/:id');
      assert.equal(span.attributes['http.route'], '/books/:id');
      assert.equal(span.resource['service.name'], `${framework}-example`);
    }
    assert.equal(new Set(spans.map((span) => span.resource['service.instance.id'])).size, 2);
  });
}
