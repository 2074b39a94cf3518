import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createServer, type TlsOptions } from 'node:tls';
import { createTransport } from '#src/shipper/transport.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { exportRequest } from './export-request.js';
import { journalScene, PLAIN_EXPORT } from './journal-scene.js';
import { proxy } from './proxy-server.js';

interface Certificate {
  key: Buffer;
  cert: Buffer;
}

/** One that is its own authority. */
function makeCertificate(dir: string, name: string): Certificate {
  const [key, cert] = [join(dir, `${name}-key.pem`), join(dir, `${name}-cert.pem`)];
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:collector.test'];
  execFileSync('openssl', [...make, ...names, '-keyout', key, '-out', cert], { stdio: 'pipe' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** Likewise, valid for so many seconds from now on. */
function makeExpiring(dir: string, name: string, seconds: number): Certificate {
  const [key, request, cert, config] = ['key', 'csr', 'cert', 'cnf'].map((end) => join(dir, `${name}.${end}`));
  const run = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  run('req', '-new', ...kind, '-subj', `/CN=${name}`, '-keyout', key!, '-out', request!);
  const index = join(dir, 'index');
  writeFileSync(index, '');
  const authority = `[ca]\ndefault_ca=d\n[d]\ndatabase=${index}\nnew_certs_dir=${dir}\ndefault_md=sha256\npolicy=p\nserial=${dir}/serial\nx509_extensions=e\n`;
  writeFileSync(config!, `${authority}[p]\ncommonName=supplied\n[e]\nsubjectAltName=IP:127.0.0.1\n`);
  const time = (ms: number) => `${new Date(ms).toISOString().replace(/\.\d+Z$|[-:T]/g, '')}Z`;
  const valid = ['-startdate', time(Date.now() - 3600_000), '-enddate', time(Date.now() + seconds * 1000)];
  const signed = ['-selfsign', '-keyfile', key!, '-rand_serial', '-notext', ...valid];
  run('ca', '-batch', '-config', config!, ...signed, '-in', request!, '-out', cert!);
  return { key: readFileSync(key!), cert: readFileSync(cert!) };
}

/** Ends TLS in front of an endpoint, as a load balancer does. */
async function terminator(t: TestContext, { key, cert }: Certificate, behind: string, more: TlsOptions = {}) {
  const open = new Set<Socket>();
  let connections = 0;
  const server = createServer({ key, cert, ALPNProtocols: ['h2', 'http/1.1'], ...more }, (client) => {
    const upstream = connect(Number(new URL(behind).port), '127.0.0.1');
    client.on('close', () => upstream.destroy());
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.pipe(other);
    }
  });
  server.on('connection', (socket) => {
    connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  const closeAll = () => {
    for (const socket of open) socket.destroy();
  };
  t.after(() => {
    server.close();
    closeAll();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** From the next connection on; the open ones are cut. */
    use(certificate: Certificate) {
      server.setSecureContext(certificate);
      closeAll();
      connections = 0;
    },
    /** Since then. */
    get connections() {
      return connections;
    },
  };
}

test('the certificate of an endpoint is replaced by one of another authority: the new file is read, and no span is lost', async (t) => {
  const certificates = await tempDir(t);
  const [first, second] = [makeCertificate(certificates, 'first'), makeCertificate(certificates, 'second')];
  const file = join(certificates, 'ca.pem');
  const trust = ({ cert }: Certificate) => {
    writeFileSync(`${file}.new`, cert);
    renameSync(`${file}.new`, file);
  };
  trust(first);
  // Both at once: a file is read anew every ten seconds.
  const places = ['grpc', 'http/protobuf'].map(async (protocol) => {
    const endpoint = await OtlpEndpoint.start(t);
    const proxy = await terminator(t, first, protocol === 'grpc' ? endpoint.grpcUrl : endpoint.httpUrl);
    const program = runProgram(t, fixture('destination-writer'), {
      args: [protocol],
      ipc: true,
      env: {
        NODE_ENV: 'production',
        OTEL_SERVICE_NAME: 'shop',
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
        OTEL_EXPORTER_OTLP_ENDPOINT: proxy.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_CERTIFICATE: file,
      },
    });
    await endpoint.waitForSpans(1);
    return { endpoint, proxy, program };
  });
  const writers = await Promise.all(places);
  for (const { proxy, program } of writers) {
    proxy.use(second);
    program.child.send('span');
    await waitFor(() => proxy.connections > 1, 'tries with the old authority');
  }
  for (const { endpoint } of writers)
    assert.equal(endpoint.received().length, 1, 'the old authority vouches for nobody');
  trust(second);
  for (const { endpoint, program } of writers) {
    program.child.send('span');
    await endpoint.waitForSpans(3, 60_000);
    // One whose answer was cut off with its connection comes once more.
    await waitFor(() => new Set(endpoint.received().map(({ spanId }) => spanId)).size === 3, 'all three spans');
  }
});

test("gRPC's own variable names the authorities where no option does", async (t) => {
  const certificates = await tempDir(t);
  const made = makeCertificate(certificates, 'made');
  const endpoint = await OtlpEndpoint.start(t);
  const { url } = await terminator(t, made, endpoint.grpcUrl);
  const file = join(certificates, 'roots.pem');
  writeFileSync(file, made.cert);
  const send = async () => {
    const transport = await createTransport({ ...PLAIN_EXPORT, to: 'otlp-grpc', url });
    t.after(() => transport.close());
    return (await transport.send(exportRequest(1))).outcome;
  };
  assert.notEqual(await send(), 'accepted');
  process.env.GRPC_DEFAULT_SSL_ROOTS_FILE_PATH = file;
  t.after(() => delete process.env.GRPC_DEFAULT_SSL_ROOTS_FILE_PATH);
  assert.equal(await send(), 'accepted');
});

for (const to of ['otlp-grpc', 'otlp-http'] as const) {
  test(`${to}: a certificate that expires during a run: the connection goes on, the next one says why it is refused, and the renewed one is taken`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const dir = await tempDir(t);
    const renewed = makeCertificate(dir, 'renewed');
    const expiring = makeExpiring(dir, 'expiring', 5);
    const expiresAt = Date.parse(new X509Certificate(expiring.cert).validTo);
    const endpoint = await OtlpEndpoint.start(t);
    const front = await terminator(t, expiring, to === 'otlp-http' ? endpoint.httpUrl : endpoint.grpcUrl);
    const url = to === 'otlp-http' ? `${front.url}/v1/traces` : front.url;
    const journal = open();
    write(journal, 1, 'before');
    const { shipper } = ship({ to, url, tls: { ca: `${expiring.cert}${renewed.cert}` } });
    await endpoint.waitForSpans(1);
    await waitFor(() => Date.now() > expiresAt + 1000, 'the end of the certificate');
    write(journal, 1, 'after');
    await endpoint.waitForSpans(2);
    // What is cut before its answer comes once more.
    await waitFor(() => shipper.stats().lagBytes === 0, 'its answer');
    assert.equal(front.connections, 1);
    front.use(expiring);
    write(journal, 1, 'refused');
    // Where a request was on its way, that its connection broke is said first, and this with the next report.
    await waitFor(() => warnings.some(({ message }) => /certificate has expired/.test(message)), 'a word', 90_000);
    front.use(renewed);
    await endpoint.waitForSpans(3);
    assert.deepEqual(
      endpoint.received().map(({ name }) => name),
      ['before 0', 'after 0', 'refused 0'],
    );
  });

  test(`${to}: certificates that nothing can be sent with lose no span, and others are used once they are said`, async (t) => {
    const { open, write, ship, warnings } = await journalScene(t);
    const server = makeCertificate(await tempDir(t), 'server');
    const endpoint = await OtlpEndpoint.start(t);
    const { url: base } = await terminator(t, server, to === 'otlp-http' ? endpoint.httpUrl : endpoint.grpcUrl);
    const url = to === 'otlp-http' ? `${base}/v1/traces` : base;
    write(open(), 20, 'span');
    const { shipper } = ship({ to, url, tls: { key: 'no key', cert: 'no certificate' } });
    await waitFor(() => warnings.some(({ code }) => code === 'FORKTRACE_EXPORT_FAILED'), 'a word');
    shipper.hear({ ...PLAIN_EXPORT, to, url, tls: { ca: server.cert.toString() } }, Date.now());
    await endpoint.waitForSpans(20);
    assert.equal(new Set(endpoint.received().map(({ name }) => name)).size, 20);
  });

  test(`${to}: an endpoint with a certificate of its own authority, that wants one of us, behind a proxy with a login`, async (t) => {
    const dir = await tempDir(t);
    const [server, client] = [makeCertificate(dir, 'server'), makeCertificate(dir, 'client')];
    const endpoint = await OtlpEndpoint.start(t);
    const path = to === 'otlp-http' ? '/v1/traces' : '';
    const behind = await terminator(t, server, to === 'otlp-http' ? endpoint.httpUrl : endpoint.grpcUrl, {
      ...{ ca: client.cert, requestCert: true, rejectUnauthorized: true },
    });
    const { port } = new URL(behind.url);
    const through = await proxy(t, Number(port));
    const variables = process.env;
    t.after(() => {
      process.env = variables;
    });
    process.env = { ...variables, HTTPS_PROXY: through.url, NO_PROXY: '' };
    const send = async (url: string, certified: boolean) => {
      const own = certified ? { cert: String(client.cert), key: String(client.key) } : {};
      const tls = { ca: String(server.cert), ...own };
      const transport = await createTransport({ ...PLAIN_EXPORT, to, url, tls, timeoutMs: 5000 });
      const result = await transport.send(exportRequest(2));
      transport.close();
      return result;
    };
    // A name that only the proxy can find, and an address, which is no server name.
    for (const host of ['collector.test', '127.0.0.1']) {
      const result = await send(`https://${host}:${port}${path}`, true);
      assert.equal(result.outcome, 'accepted', JSON.stringify(result));
      assert.match(through.asked.at(-1)!, new RegExp(`^CONNECT ${host}:${port} Basic `));
    }
    assert.equal(endpoint.received().length, 4);
    assert.notEqual((await send(`https://collector.test:${port}${path}`, false)).outcome, 'accepted');
  });
}
