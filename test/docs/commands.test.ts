/** What the pages tell people to write and to run, written and run as it stands there. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { RealPm2 } from '../pm2/real-pm2.js';
import { freePort } from '../process/free-port.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The blocks of a page in this language. */
async function blocks(page: string, language: string): Promise<string[]> {
  const text = await readFile(join(root, 'docs', page), 'utf8');
  return [...text.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code]) => code!);
}

/** As `npm install forktrace` would. */
async function install(project: string): Promise<void> {
  await mkdir(join(project, 'node_modules'));
  await symlink(root, join(project, 'node_modules/forktrace'));
}

test('Running under cluster: node server.js', async (t) => {
  const project = await tempDir(t);
  await install(project);
  await writeFile(join(project, 'package.json'), '{"type": "module"}');
  const sources = await blocks('cluster.md', 'ts');
  for (const [index, name] of ['server', 'app'].entries()) {
    assert.match(sources[index]!, new RegExp(`^// ${name}\\.ts\n`));
    const { code } = await transform(sources[index]!, { loader: 'ts' });
    await writeFile(join(project, `${name}.js`), code);
  }
  const server = spawn(process.execPath, ['server.js'], {
    cwd: project,
    env: {
      ...process.env,
      PORT: String(await freePort()),
      TMPDIR: project,
      NODE_ENV: 'production',
      OTEL_TRACES_EXPORTER: 'none',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => server.kill('SIGKILL'));
  let output = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const url = await waitFor(() => /listening on (http:\S+)/.exec(output)?.[1], 'the address');
  assert.match(await (await fetch(url, { headers: { connection: 'close' } })).text(), /^hello from slot [0-3]$/);
  server.kill('SIGTERM');
  await once(server, 'exit', { signal: AbortSignal.timeout(20_000) });
});

test('Running under pm2: pm2 start ecosystem.config.cjs', async (t) => {
  const pm2 = await RealPm2.start(t);
  await install(pm2.home);
  const [ecosystem] = await blocks('pm2.md', 'js');
  await writeFile(join(pm2.home, 'ecosystem.config.cjs'), ecosystem!);
  await writeFile(
    join(pm2.home, 'server.js'),
    `require('node:http').createServer((request, response) => response.end('ok')).listen(${await freePort()}, '127.0.0.1')`,
  );
  await pm2.command('start', 'ecosystem.config.cjs');
  const online = async () => (await pm2.list()).filter(({ pm2_env }) => pm2_env.status === 'online');
  await waitFor(async () => (await online()).length === 5, 'four workers and the shipper');
  assert.deepEqual((await online()).map(({ name }) => name).sort(), ['shop', 'shop', 'shop', 'shop', 'shop-shipper']);
});
