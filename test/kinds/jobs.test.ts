// The recipes of docs/jobs-and-threads.md, with the real packages: each job has its parent, and the one that
// a worker died of is interrupted.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { before, type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { installedIn } from '../process/frameworks.js';
import { freePort } from '../process/free-port.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { installKind, projectWithForktrace } from './project.js';
import { writeRecipes } from './recipe.js';

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
const needsRedis = !hasRedis && process.env.CI !== 'true' && 'SKIPPED: redis-server is not installed';

before(async () => {
  await installedIn('test/kinds');
});

interface Recipe {
  program: string;
  /** What of the program is written otherwise. */
  change?: [from: string, to: string];
  packages: string[];
  asks: string;
  does: string;
  threads: boolean;
  skip?: string | false;
}

const BULLMQ: Recipe = {
  program: 'bullmq.js',
  packages: ['bullmq', 'ioredis'],
  asks: 'ask',
  does: 'report',
  threads: false,
  skip: needsRedis,
};

const RECIPES: Record<string, Recipe> = {
  'piscina.js': { program: 'piscina.js', packages: ['piscina'], asks: 'upload', does: 'resize', threads: true },
  'pool.js': { program: 'pool.js', packages: [], asks: 'upload', does: 'resize', threads: false },
  'tinypool.js': { program: 'tinypool.js', packages: ['tinypool'], asks: 'upload', does: 'resize', threads: false },
  'bullmq.js': BULLMQ,
  'bullmq.js with useWorkerThreads': {
    ...BULLMQ,
    threads: true,
    change: ['processor, { connection', 'processor, { useWorkerThreads: true, connection'],
  },
};

for (const [name, { program, change, packages, asks, does, threads, skip }] of Object.entries(RECIPES)) {
  test(`${name}: each job is a span with its parent, and the one that a worker died of is interrupted`, {
    skip,
    timeout: 90_000,
  }, async (t) => {
    const project = await projectWithForktrace(t, 'module');
    for (const one of packages) await installKind(project, one);
    assert.ok((await writeRecipes('jobs-and-threads.md', project)).includes(program));
    if (change) {
      const source = await readFile(`${project}/${program}`, 'utf8');
      assert.ok(source.includes(change[0]), program);
      await writeFile(`${project}/${program}`, source.replace(...change));
    }
    const endpoint = await OtlpEndpoint.start(t);
    const app = runProgram(t, `${project}/${program}`, {
      cwd: project,
      execArgv: ['--import', 'forktrace/register'],
      env: {
        NODE_ENV: 'production',
        OTEL_SERVICE_NAME: 'jobs',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
        ...(packages.includes('bullmq') && { REDIS_PORT: String(await startRedis(t)) }),
      },
    });
    assert.equal((await app.waitForExit(60_000)).code, 0, app.output);

    const spans = await endpoint.waitForSpans(4);
    const named = (name: string) => spans.filter((span) => span.name === name);
    assert.equal(named(asks).length, 2, app.output);
    const interrupted = (span: ReceivedSpan) => span.attributes['forktrace.interrupted'] === true;
    for (const job of named(does)) {
      const parent = named(asks).find(({ spanId }) => spanId === job.parentSpanId);
      assert.ok(parent, `${job.name} has its parent`);
      assert.equal(parent.status.code === 2, interrupted(job), 'the job of the one that failed');
    }
    assert.deepEqual(named(does).map(interrupted).sort(), [false, true]);

    const identityOf = ({ resource }: ReceivedSpan) => resource['service.instance.id'];
    assert.equal(new Set(named(asks).map(identityOf)).size, 1);
    assert.ok(named(does).every((job) => identityOf(job) !== identityOf(named(asks)[0]!)));
    assert.ok(named(does).every(({ resource }) => (resource['thread.id'] !== undefined) === threads));
    assert.ok(named(asks).every(({ resource }) => resource['thread.id'] === undefined));
    if (threads) assert.equal(app.stderr.match(/spans go to/g)?.length, 1, app.stderr);
  });
}

async function startRedis(t: TestContext): Promise<number> {
  const port = await freePort();
  const redis = spawn('redis-server', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], {
    cwd: await tempDir(t),
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => redis.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    redis.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
    let output = '';
    redis.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Ready to accept connections')) resolve();
    });
  });
  return port;
}
