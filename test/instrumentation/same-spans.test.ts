// The app of examples/postgres-redis under OpenTelemetry's own register and under forktrace, with a real
// PostgreSQL and a real Redis: all spans are equal, field by field, but for the differences that
// docs/from-opentelemetry.md lists.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind, type ReceivedSpan } from '../endpoint/received-span.js';
import { RealPm2 } from '../pm2/real-pm2.js';
import { installedIn } from '../process/frameworks.js';
import { freePort } from '../process/free-port.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { instrumentedProject } from './instrumented-program.js';
import { startServers, withoutServers } from './postgres-redis.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/postgres-redis/', import.meta.url));
/** The last one says that all spans before it are there: a process sends them in their order. */
const PATHS = ['/items/1', '/fails', '/items/2', '/stock'];

/** The example, as ES modules or as CommonJS, in a project with forktrace. @returns the folder */
async function copied(t: TestContext, extension: 'mjs' | 'cjs'): Promise<string> {
  const project = await instrumentedProject(t, 'two');
  let folder = '';
  for (const name of readdirSync(EXAMPLE).filter((name) => /\.[mc]js$/.test(name))) {
    const text = readFileSync(EXAMPLE + name, 'utf8');
    const isOther = extension === 'cjs';
    const path = project.write(isOther ? name.replace('.mjs', '.cjs') : name, isOther ? asCommonJs(text) : text);
    folder = dirname(path);
  }
  return folder;
}

const asCommonJs = (text: string) =>
  text
    .replace(/^import (.+) from (.+);$/gm, 'const $1 = require($2);')
    .replace(/^export default (async function|function) (\w+)/gm, 'module.exports = $2;\n$1 $2')
    .replace(/^export (async function|function) (\w+)/gm, 'exports.$2 = $2;\n$1 $2')
    .replaceAll('.mjs', '.cjs');

type Way = 'opentelemetry' | 'preload' | 'cluster' | 'pm2';

interface Setting {
  framework: 'express' | 'fastify';
  extension: 'mjs' | 'cjs';
  folder: string;
  servers: { postgres: number; redis: number };
}

/** All spans of the app, asked for each of the paths in turn. */
async function spansOf(t: TestContext, way: Way, { framework, extension, folder, servers }: Setting) {
  const endpoint = await OtlpEndpoint.start(t);
  const port = await freePort();
  const env = {
    APP: framework,
    PORT: String(port),
    POSTGRES_URL: `postgres://app@127.0.0.1:${servers.postgres}/postgres`,
    REDIS_URL: `redis://127.0.0.1:${servers.redis}`,
    NODE_ENV: 'production',
    OTEL_SERVICE_NAME: 'shop',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process',
    OTEL_BSP_SCHEDULE_DELAY: '100',
    FORKTRACE_JOURNAL_DIR: await tempDir(t),
    WEB_CONCURRENCY: '1',
    // The default, which other tests do without.
    FORKTRACE_INSTRUMENTATIONS: '',
  };
  let output = () => '';
  if (way === 'pm2') {
    const ecosystem = createRequire(`${folder}/`)('./ecosystem.config.cjs');
    for (const app of ecosystem.apps) app.env = { ...app.env, ...env };
    await (await RealPm2.start(t)).startEcosystem(ecosystem);
  } else {
    const execArgv = {
      opentelemetry: [
        '--require',
        '@opentelemetry/auto-instrumentations-node/register',
        '--experimental-loader=@opentelemetry/instrumentation/hook.mjs',
      ],
      preload: ['--import', 'forktrace/register'],
      cluster: [],
    }[way];
    const path = `${folder}/${way === 'cluster' ? 'cluster' : 'server'}.${extension}`;
    const program = runProgram(t, path, { cwd: folder, env, execArgv });
    output = () => program.output;
  }
  const answers = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
    return response.text();
  };
  for (const [index, path] of PATHS.entries()) {
    // The first one waits for the server.
    if (index === 0) {
      const isThere = () => answers(path).then(Boolean, () => false);
      await waitFor(isThere, () => `the app answers; output: ${output()}`, 150_000);
    } else await answers(path);
  }
  const spans = () => endpoint.received().filter(({ resource }) => resource['cluster.role'] !== 'coordinator');
  const isLast = ({ kind, parentSpanId, attributes }: ReceivedSpan) =>
    kind === OtlpSpanKind.SERVER && parentSpanId === '' && attributes['url.path'] === PATHS.at(-1);
  await waitFor(
    () => spans().some(isLast),
    () => `all spans, ${way}; output: ${output()}`,
  );
  return spans();
}

/** Two runs have other ports. */
const DIFFERENT_EACH_TIME = /^(url\.full|server\.port|network\.(peer|local)\.port|http\.url|net\.peer\.port)$/;

/** Where OpenTelemetry knows no route, a SERVER span by its path. */
function nameOf({ name, kind, attributes }: ReceivedSpan, isRouteKnown: boolean): string {
  return kind === OtlpSpanKind.SERVER && !isRouteKnown ? `GET ${attributes['url.path']}` : name;
}

/** A span without its ids and times, beside the name of its parent. */
function comparable(spans: readonly ReceivedSpan[], isServerOurs: boolean, isRouteKnown: boolean): string[] {
  const names = new Map(spans.map((span) => [span.spanId, nameOf(span, isRouteKnown)]));
  return spans
    .map((span) => {
      const { kind, scope, attributes, events, status, parentSpanId } = span;
      const kept = Object.entries(attributes).filter(([key]) => !DIFFERENT_EACH_TIME.test(key));
      const isServer = kind === OtlpSpanKind.SERVER;
      // Differences that are meant: SERVER spans are forktrace's, say error.type of a 5xx, and know Fastify's
      // route.
      if (isServer) assert.equal(scope.name, isServerOurs ? 'forktrace' : '@opentelemetry/instrumentation-http');
      const added = ['error.type', ...(isRouteKnown ? [] : ['http.route'])];
      const meant = isServer && isServerOurs ? kept.filter(([key]) => !added.includes(key)) : kept;
      return JSON.stringify({
        name: nameOf(span, isRouteKnown),
        kind,
        scope: isServer ? 'server' : scope,
        parent: names.get(parentSpanId),
        attributes: Object.fromEntries(meant.sort(([a], [b]) => (a < b ? -1 : 1))),
        events: events.map((event) => [event.name, Object.keys(event.attributes).sort()]),
        status,
      });
    })
    .sort();
}

describe('the same app has the same spans', { skip: withoutServers, timeout: 900_000 }, () => {
  // Installed before the time of the first program is bounded.
  before(async () => void (await installedIn('test/instrumentations/two')));

  for (const framework of ['express', 'fastify'] as const) {
    for (const extension of ['mjs', 'cjs'] as const) {
      it(`${framework}, .${extension}: under OpenTelemetry's register, our preload, a cluster and pm2`, async (t) => {
        const [servers, folder] = [await startServers(t), await copied(t, extension)];
        const setting = { framework, extension, folder, servers };
        const isRouteKnown = framework !== 'fastify';
        const expected = comparable(await spansOf(t, 'opentelemetry', setting), false, isRouteKnown);
        assert.ok(expected.length > 15, `${expected.length} spans`);
        for (const way of ['preload', 'cluster', 'pm2'] as const) {
          const found = comparable(await spansOf(t, way, setting), true, isRouteKnown);
          assert.deepEqual(found, expected, way);
        }
      });
    }
  }
});
