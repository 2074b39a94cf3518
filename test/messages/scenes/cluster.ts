/**
 * What a cluster says while it runs.
 *
 * @module
 */
import type { Scene } from '../scene.js';
import { cluster, inBackground, run, serves, servesAndSays } from './programs.js';

export const scenes: Scene[] = [
  {
    code: 'FORKTRACE_WORKER_DIED',
    when: 'a worker dies while it serves',
    files: { 'app.js': `${serves}setTimeout(() => process.exit(7), 300);\n` },
    command: run,
    until: /Next try/,
  },
  {
    code: 'FORKTRACE_CRASH_LOOP',
    when: 'workers keep dying',
    files: {
      'server.js': cluster(
        '() => {\n  setTimeout(() => process.exit(7), 100);\n  return (request, response) => response.end();\n}',
        'supervise: { breakerDeaths: 2, backoffMinMs: 10, backoffMaxMs: 20 }',
      ),
    },
    command: 'node server.js',
    until: /CRASH_LOOP\].*\n/,
  },
  {
    code: 'FORKTRACE_CRASH_LOOP_OVER',
    when: 'what kept crashing is mended',
    files: {
      'server.js': `import { existsSync } from 'node:fs';\n${cluster(
        "() => {\n  if (!existsSync('mended')) setTimeout(() => process.exit(7), 100);\n  return (request, response) => response.end();\n}",
        'supervise: { breakerDeaths: 2, breakerOpenMs: 500, backoffMinMs: 10, backoffMaxMs: 20 }',
      )}`,
    },
    command: 'node server.js 2>&1 | tee log & until grep -sq CRASH_LOOP log; do sleep 0.05; done; touch mended; wait',
    until: /LOOP_OVER\].*\n/,
  },
  {
    code: 'FORKTRACE_RECYCLE_FAILED',
    when: 'the successor of a worker that is recycled does not start',
    files: {
      'server.js': `import { existsSync, writeFileSync } from 'node:fs';\n${cluster(
        "() => {\n  if (existsSync('started')) throw new Error('no database at db:5432');\n  writeFileSync('started', '');\n  return (request, response) => response.end();\n}",
        'supervise: { maxRequests: 1 }',
      )}`,
      'ask.js': "for (let i = 0; i < 3; i++) await fetch('http://localhost:' + process.env.PORT);\n",
    },
    command: `node server.js & while ! grep -qi ":$(printf %04x $PORT) " /proc/net/tcp6; do sleep 0.05; done; node ask.js; wait`,
    until: /RECYCLE_FAILED\].*\n/,
  },
  {
    code: 'FORKTRACE_RELOAD_ABORTED',
    when: 'the new code does not start',
    files: { 'app.js': serves },
    command: `${inBackground(run)}; echo 'throw new Error("no database at db:5432");' > app.js; forktrace reload; code=$?; forktrace stop; tail -n +3 log; (exit $code)`,
  },
  {
    code: 'FORKTRACE_SCALE_FAILED',
    when: 'a worker more does not start',
    files: { 'app.js': serves },
    command: `${inBackground(run)}; echo 'throw new Error("no database at db:5432");' > app.js; forktrace scale 2; code=$?; forktrace stop; (exit $code)`,
  },
  {
    code: 'FORKTRACE_STOPPING',
    when: 'reload while the cluster stops',
    files: {
      'server.js':
        "import { startClusterWithTracing } from 'forktrace';\nconst cluster = await startClusterWithTracing(() => (request, response) => response.end(), { workers: 1 });\nif (cluster.role === 'coordinator') {\n  cluster.shutdown();\n  await cluster.reload().catch(({ code, message }) => console.log(code, message));\n}\n",
    },
    command: 'node server.js',
  },
  {
    code: 'FORKTRACE_NOT_COORDINATOR',
    when: 'a worker asks for a reload',
    files: {
      'server.js':
        "import { startClusterWithTracing } from 'forktrace';\nconst cluster = await startClusterWithTracing(() => (request, response) => response.end(), { workers: 1 });\nif (cluster.role === 'worker') await cluster.reload().catch(({ code, message }) => console.log(code, message));\n",
    },
    command: 'node server.js',
    until: servesAndSays('FORKTRACE_NOT_COORDINATOR'),
  },
  {
    code: 'FORKTRACE_HOOK_FAILED',
    when: 'a hook throws',
    files: {
      'server.js': cluster(
        '() => (request, response) => response.end()',
        "hooks: { onReady() { throw new Error('no pager'); } }",
      ),
    },
    command: 'node server.js',
    until: /serving at(.|\n)*HOOK_FAILED(.|\n)*server.js:\d+.*\n|HOOK_FAILED(.|\n)*server.js:\d+(.|\n)*serving at.*\n/,
  },
  {
    code: 'FORKTRACE_HOOK_TIMEOUT',
    when: 'a hook takes too long',
    files: {
      'server.js': cluster(
        '() => (request, response) => response.end()',
        'hooks: { timeoutMs: 300, workerReady: () => new Promise(() => {}) }',
      ),
    },
    command: 'node server.js',
    until: servesAndSays('FORKTRACE_HOOK_TIMEOUT'),
  },
  {
    code: 'FORKTRACE_NO_CONTROL_SOCKET',
    when: 'the run directory cannot be one',
    files: { 'app.js': serves, run: '' },
    command: run,
    env: { FORKTRACE_RUN_DIR: '/dev/null/run' },
    until: servesAndSays('FORKTRACE_NO_CONTROL_SOCKET'),
  },
  {
    code: 'FORKTRACE_VIEWER_FAILED',
    when: 'the viewer finds no port',
    files: {
      'taken.js':
        "import { createServer } from 'node:net';\nimport { once } from 'node:events';\nfor (let port = Number(process.env.PORT) + 1; port < Number(process.env.PORT) + 201; port += 10) {\n  const server = createServer().listen(port, '127.0.0.1');\n  await once(server, 'listening').catch(() => {});\n}\nconsole.log('serving at');\n",
      'server.js': cluster(
        '() => (request, response) => response.end()',
        'viewer: { grpcPort: Number(process.env.PORT) + 1 }',
      ),
    },
    command: `${inBackground('node taken.js')}; taken=$!; node server.js; kill $taken`,
    env: { FORKTRACE_EXPORT: 'viewer' },
    until: servesAndSays('FORKTRACE_VIEWER_FAILED'),
  },
];
