import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspectJournal } from '#src/cli/inspect.js';
import { readPostMortems } from '#src/forensics/post-mortem.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { freePort } from '../process/free-port.js';
import { waitFor } from '../process/wait-for.js';
import { RealPm2 } from './real-pm2.js';

const script = fileURLToPath(new URL('../fixtures/unaware-server-pm2.cjs', import.meta.url));

function ask(port: number, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve(body);
    }).on('error', reject);
  });
}

for (const mode of ['cluster', 'fork'] as const) {
  test(`pm2 ${mode} mode, nothing but the ecosystem helper: a worker that is killed is in the trace`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const pm2 = await RealPm2.start(t);
    const port = await freePort();
    // pm2 puts the number of the process into the name, where there are several.
    for (const name of ['errors.log', 'errors-0.log', 'errors-1.log']) {
      writeFileSync(join(pm2.home, name), 'words of an earlier life\n');
    }
    await pm2.startApp({
      name: 'unaware',
      script,
      exec_mode: mode,
      instances: mode === 'cluster' ? 2 : 1,
      listen_timeout: 30_000,
      error_file: join(pm2.home, 'errors.log'),
      env: { PORT: port },
      tracing: {
        resource: { 'deployment.environment.name': 'test' },
        export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
        journal: { dir: pm2.home },
      },
    });
    await waitFor(async () => {
      const processes = await pm2.list();
      return (
        processes.length === (mode === 'cluster' ? 3 : 2) && processes.every((one) => one.pm2_env.status === 'online')
      );
    }, 'all apps online: wait_ready is answered');

    const answered: string[] = [];
    for (let i = 0; i < 20; i++) answered.push(await ask(port));
    await endpoint.waitForSpans(20);
    const workers = (await pm2.list()).filter(({ name }) => name === 'unaware');
    assert.ok(answered.every((pid) => workers.some((worker) => String(worker.pid) === pid)));

    // One request is in flight when its worker is killed.
    const cutOff = ask(port, '/slow').catch(() => 'cut off');
    const victim = await waitFor(() => {
      const spans = [...inspectJournal(join(pm2.home, 'unaware'))];
      return spans.map((one) => ('inFlight' in one && one.inFlight ? one.writer.pid : undefined)).find((pid) => pid);
    }, 'an entry in an in-flight table');
    process.kill(victim, 'SIGKILL');
    assert.equal(await cutOff, 'cut off');
    const spans = await endpoint.waitForSpans((all) =>
      all.some(({ attributes }) => attributes['forktrace.interrupted']),
    );
    const interrupted = spans.find(({ attributes }) => attributes['forktrace.interrupted'])!;
    assert.equal(interrupted.attributes['url.path'], '/slow');
    assert.equal(interrupted.attributes['error.type'], 'worker.exit');
    assert.equal(interrupted.resource['process.pid'], victim);
    const words = interrupted.events.find(({ name }) => name === 'forktrace.last_words');
    const text = String(words?.attributes['forktrace.last_words.text']);
    assert.match(text, new RegExp(`process ${victim} is asked for what takes long\n$`));
    assert.doesNotMatch(text, /an earlier life/);
    const [death] = readPostMortems(join(pm2.home, 'unaware'));
    assert.equal(death?.lastWords, text);

    await waitFor(
      async () => (await pm2.list()).every((one) => one.pid > 0 && one.pm2_env.status === 'online'),
      'a respawn',
    );
    await ask(port);
    await pm2.command('delete', 'all');
    const all = await endpoint.waitForSpans(22);
    assert.equal(all.length, 22);
    assert.ok(all.every(({ kind }) => kind === OtlpSpanKind.SERVER));
    assert.ok(all.every(({ resource }) => resource['service.name'] === 'unaware'));
    assert.ok(all.every(({ resource }) => resource['cluster.manager'] === 'pm2'));
    assert.ok(all.every(({ resource }) => resource['deployment.environment.name'] === 'test'));
  });
}
