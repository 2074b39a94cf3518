// What README.md and docs/getting-started.md tell people to paste, pasted into projects as `npm init -y`
// makes them, with the package as it is published.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { installPacked, root } from './installed.js';

const run = promisify(execFile);
const readme = await readFile(join(root, 'README.md'), 'utf8');
const gettingStarted = await readFile(join(root, 'docs/getting-started.md'), 'utf8');
const snippets = new Map(
  [...(readme + gettingStarted).matchAll(/```[jt]s\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, name, code]) => [
    name!,
    `// ${name}\n${code}`,
  ]),
);

let parent: string;
before(async (t) => {
  parent = await tempDir(t as TestContext);
  await installPacked(parent);
});

interface Setup {
  /** @default what `npm init -y` writes */
  packageJson?: string;
  env?: NodeJS.ProcessEnv;
  node?: string;
}

async function start(t: TestContext, name: string, { packageJson, env, node }: Setup = {}) {
  // Below the folder with node_modules, where Node finds the package.
  const project = join(parent, `shop-${Math.random().toString(36).slice(2)}`);
  await mkdir(project);
  if (packageJson === undefined) await run('npm', ['init', '-y'], { cwd: project });
  else await writeFile(join(project, 'package.json'), packageJson);
  await writeFile(join(project, name), snippets.get(name)!);
  const endpoint = await OtlpEndpoint.start(t);
  const port = await freePort();
  const server = runProgram(t, join(project, name), {
    cwd: project,
    ...(node !== undefined && { node }),
    env: {
      NODE_ENV: 'production',
      PORT: String(port),
      WEB_CONCURRENCY: '2',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: join(project, 'journal'),
      ...env,
    },
  });
  await server.waitForOutput(/serving at/);
  return { endpoint, server, project, url: `http://localhost:${port}` };
}

for (const [how, packageJson] of [
  ['npm init -y', undefined],
  ['npm 10: no type', '{ "name": "shop", "version": "1.0.0", "main": "index.js" }'],
  ['npm 11: type commonjs', '{ "name": "shop", "version": "1.0.0", "main": "index.js", "type": "commonjs" }'],
  ['type module', '{ "name": "shop", "type": "module" }'],
] as const) {
  test(`the first snippet, pasted: ${how}`, async (t) => {
    const { endpoint, server, url } = await start(t, 'server.mjs', packageJson === undefined ? {} : { packageJson });
    assert.equal(await (await fetch(url, { headers: { connection: 'close' } })).text(), 'hello\n');
    await endpoint.waitForSpans((all) => all.some(({ name }) => name === 'GET'));
    server.kill('SIGTERM');
    await server.waitForExit();
  });
}

test('the first snippet for CommonJS, pasted', async (t) => {
  const { endpoint, server, url } = await start(t, 'server.cjs');
  assert.equal(await (await fetch(url, { headers: { connection: 'close' } })).text(), 'hello\n');
  await endpoint.waitForSpans((all) => all.some(({ name }) => name === 'GET'));
  server.kill('SIGTERM');
  await server.waitForExit();
});

test('the first snippet for TypeScript, pasted, where Node.js runs it as it is', async (t) => {
  const { nodeOf } = (await import(new URL('../../scripts/node-version.mjs', import.meta.url).href)) as {
    nodeOf(major: string): string;
  };
  const { endpoint, server, url } = await start(t, 'server.mts', { node: nodeOf('24') });
  assert.match(await (await fetch(url, { headers: { connection: 'close' } })).text(), /^hello from slot \d\n$/);
  await endpoint.waitForSpans((all) => all.some(({ name }) => name === 'GET'));
  server.kill('SIGTERM');
  await server.waitForExit();
});

test('the blocked worker: its span says what the page says', async (t) => {
  const { endpoint, server, project, url } = await start(t, 'stuck.mjs', {
    packageJson: '{ "name": "shop" }',
    env: { FORKTRACE_HEARTBEAT_TIMEOUT: '4000', WEB_CONCURRENCY: '1' },
  });
  await assert.rejects(fetch(url));
  const spans = await endpoint.waitForSpans((all) => all.some(({ name }) => name === 'GET'));
  const { attributes } = spans.find(({ name }) => name === 'GET')!;
  const block = /this is on it:\n\n```\n([\s\S]*?)```/.exec(readme)![1]!;
  for (const line of block.trim().split('\n')) {
    const [name, value] = line.split(/\s+/) as [string, string];
    assert.equal(String(attributes[name]), value.replace('/app', project), name);
  }
  server.kill('SIGTERM');
  await server.waitForExit();
});
