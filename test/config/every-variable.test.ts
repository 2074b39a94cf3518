// Every variable of OpenTelemetry's specification with a value that can't be used, in all ways of starting:
// the app is alive, each is warned about once, by its name, and spans flow.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isGroup, type Options } from '#src/config/option.js';
import { options } from '#src/config/options/table.js';
import { resolveConfig } from '#src/config/resolve.js';
import { node, otlp, SIGNALS, specification, type Variable } from '#src/config/variables.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const BAD = '%%(';

/**
 * By name: whether a bad value is warned about. Any text is a service's name, or a path until a file is read
 * from it.
 */
const expected = new Map<string, boolean>();
const checked = ({ status, kind }: Variable) => status === 'warned' || (kind !== undefined && kind.type !== 'string');
for (const [name, variable] of Object.entries<Variable>(specification)) expected.set(name, checked(variable));
for (const [suffix, variable] of Object.entries<Variable>(otlp)) {
  for (const signal of ['', ...SIGNALS.map((each) => `${each}_`)]) {
    expected.set(
      `OTEL_EXPORTER_OTLP_${signal}${suffix}`,
      checked(variable) || suffix === 'HEADERS' || suffix === 'ENDPOINT',
    );
  }
}
for (const suffix of ['CERTIFICATE', 'CLIENT_CERTIFICATE', 'CLIENT_KEY'])
  expected.set(`OTEL_EXPORTER_OTLP_TRACES_${suffix}`, true);
for (const name of Object.keys(node)) expected.set(name, true);
// Only the one that counts is read.
expected.set('OTEL_NODE_EXCLUDED_URLS', false);
// Looked at where instrumentations are enabled.
for (const which of ['ENABLED', 'DISABLED']) expected.set(`OTEL_NODE_${which}_INSTRUMENTATIONS`, false);
for (const name of variablesOfOptions(options)) expected.set(name, name !== 'OTEL_SERVICE_NAME');
expected.set('OTEL_RESOURCE_ATTRIBUTES', true);
expected.set('OTEL_CONFIG_FILE', true);

function variablesOfOptions(table: Options): string[] {
  return Object.values(table).flatMap((entry) => [
    ...entry.variables.filter((name) => name.startsWith('OTEL_')),
    ...(isGroup(entry) ? variablesOfOptions(entry.entries) : []),
  ]);
}

const VALUES = [
  ...['0', '-1', '1.5', '1e999', '99999999999999999999', 'NaN', 'true', 'yes', 'none', 'none,none', 'null', ',', '='],
  ...[
    'http://',
    'http://x:99999',
    'http://[::1',
    'ftp://x',
    'unix:',
    'x:y',
    '//',
    '/',
    '/etc',
    '/nowhere',
    '\\',
    '[',
    '*',
  ],
  ...['a=b=c', 'a=%zz', '%', '{}', '[]', 'ünï', '\u0001', 'a\r\nb: c', '__proto__', 'constructor', 'a'.repeat(20_000)],
  ...['jaeger_remote', 'xray', 'parentbased_', 'endpoint=x', 'endpoint=http://x,pollingIntervalMs=-1', 'prometheus'],
];

test('no value of any variable stops a start, and what is no number or flag counts as not set', (t) => {
  t.mock.method(process, 'emitWarning', () => {});
  for (const name of expected.keys()) {
    for (const value of VALUES) {
      const resolved = resolveConfig(
        { metrics: true, logs: true },
        { OTEL_TRACES_SAMPLER: 'traceidratio', [name]: value },
      );
      assert.equal(resolved.disabled, name === 'OTEL_SDK_DISABLED' && value === 'true', `${name}=${value}`);
      for (const number of [resolved.export.timeoutMs, ...Object.values(resolved.batch)]) {
        assert.ok(Number.isSafeInteger(number) && number >= 0, `${name}=${value}: ${number}`);
      }
    }
  }
});

/** All variables, bad, but for those that say where spans go. */
function badEnvironment(endpoint: OtlpEndpoint, journal: string): Record<string, string> {
  const bad = Object.fromEntries([...expected.keys()].map((name) => [name, BAD]));
  return {
    ...bad,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint.grpcUrl,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
    NODE_ENV: 'production',
    FORKTRACE_JOURNAL_DIR: journal,
    FORKTRACE_SHIP: 'inline',
    NODE_OPTIONS: '--no-deprecation',
  };
}

function assertWarned({ stderr }: Program): void {
  const warned = [...stderr.matchAll(/Environment variable (OTEL_\w+)/g)].map(([, name]) => name!);
  const all = [...expected].filter(([, isWarned]) => isWarned).map(([name]) => name);
  const set = all.filter((name) => !/^OTEL_EXPORTER_OTLP_TRACES_(ENDPOINT|PROTOCOL)$/.test(name));
  assert.deepEqual(warned.sort(), set.sort(), stderr);
}

async function environment(t: TestContext): Promise<[OtlpEndpoint, Record<string, string>]> {
  const endpoint = await OtlpEndpoint.start(t);
  return [endpoint, badEnvironment(endpoint, await tempDir(t))];
}

test('startWorkerTracing', async (t) => {
  const [endpoint, env] = await environment(t);
  const program = runProgram(t, fixture('configured-job'), { env });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  assertWarned(program);
  await endpoint.waitForSpans(40);
});

for (const app of ['unaware-server', 'unaware-server-cjs'] as const) {
  test(`preload of ${app}`, async (t) => {
    const [endpoint, env] = await environment(t);
    const register = fileURLToPath(import.meta.resolve('forktrace/register'));
    const program = runProgram(t, app === 'unaware-server' ? fixture(app) : fixture(app).replace(/js$/, 'cjs'), {
      execArgv: ['--import', register],
      env,
    });
    await program.waitForOutput(/"?port/);
    await endpoint.waitForSpans(1);
    assertWarned(program);
  });
}

test('cluster: said by the coordinator, not by its workers', async (t) => {
  const [endpoint, env] = await environment(t);
  const program = runProgram(t, fixture('e2e-server'), { ipc: true, env: { ...env, FORKTRACE_SHIP: 'process' } });
  const { address } = await program.waitForMessage(
    (message): message is { address: string } => 'address' in Object(message),
  );
  assert.equal((await fetch(address, { headers: { connection: 'close' } })).status, 200);
  await endpoint.waitForSpans(2);
  assertWarned(program);
});
