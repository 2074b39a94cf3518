// The name of an endpoint gets another address while a service runs: a failover, a pod that is rescheduled.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { Relay } from '../endpoint/relay.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const NAME = 'collector.test';
/** A request that is on its way to the old address, and what the client waits between two tries. */
const FOLLOWS_WITHIN_MS = 20_000;

/** What the old address does from the change on. */
const FORMER = {
  'refuses connections': (old: Relay) => old.close(),
  'takes connections and answers nothing': (old: Relay) => old.stall(true),
};

for (const protocol of ['grpc', 'http/protobuf'])
  for (const [what, leave] of Object.entries(FORMER))
    test(`${protocol}: a name that has another address now is followed when the old one ${what}`, async (t) => {
      if (!mayNameHosts(t)) return;
      const [first, second] = [await OtlpEndpoint.start(t), await OtlpEndpoint.start(t)];
      const portOf = (endpoint: OtlpEndpoint) =>
        Number(new URL(protocol === 'grpc' ? endpoint.grpcUrl : endpoint.httpBaseUrl).port);
      const old = await Relay.start(t, () => portOf(first));
      await Relay.start(t, () => portOf(second), { host: '127.0.0.2', port: old.port });
      const hosts = join(await tempDir(t), 'hosts');
      const name = (address: string) => writeFileSync(hosts, `${address} ${NAME}\n`);
      name('127.0.0.1');
      // A file system view of its own, for the shipper as well: the change is seen there as in the real file.
      const program = runProgram(t, fixture('destination-writer'), {
        node: 'unshare',
        execArgv: ['--mount', 'sh', '-c', 'mount --bind "$HOSTS" /etc/hosts && exec "$0" "$@"', process.execPath],
        ipc: true,
        env: {
          HOSTS: hosts,
          NODE_ENV: 'production',
          OTEL_SERVICE_NAME: 'shop',
          FORKTRACE_JOURNAL_DIR: await tempDir(t),
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://${NAME}:${old.port}`,
          OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
          OTEL_EXPORTER_OTLP_TIMEOUT: '2000',
        },
      });
      await first.waitForSpans(1);
      name('127.0.0.2');
      leave(old);
      program.send({});
      await second.waitForSpans(1, FOLLOWS_WITHIN_MS);
    });

function mayNameHosts(t: TestContext): boolean {
  try {
    execFileSync('unshare', ['--mount', 'mount', '--bind', '/etc/hosts', '/etc/hosts'], { stdio: 'pipe' });
    return true;
  } catch (error) {
    t.skip(`SKIPPED: this needs root, for names of its own: ${(error as Error).message}`);
    return false;
  }
}
