/**
 * Mistakes that stop a start, or are said at one.
 *
 * @module
 */
import type { Scene } from '../scene.js';
import { cluster, run, serves } from './programs.js';

export const scenes: Scene[] = [
  {
    code: 'FORKTRACE_CONFIG_INVALID',
    when: 'an option has a wrong value',
    files: { 'server.js': cluster('() => () => {}', "pipeline: 'fast'") },
    command: 'node server.js',
  },
  {
    code: 'FORKTRACE_ENV_INVALID',
    when: 'a variable has a wrong value',
    files: { 'app.js': serves },
    command: run,
    env: { FORKTRACE_PIPELINE: 'fast' },
  },
  {
    code: 'FORKTRACE_BUNDLED',
    when: 'forktrace is in a bundle, and not installed where that runs',
    files: { 'app.js': "import { startWorkerTracing } from 'forktrace';\n\nstartWorkerTracing();\n" },
    packages: ['esbuild'],
    command:
      'node_modules/esbuild/bin/esbuild app.js --bundle --platform=node --format=esm --outfile=bundle.js --log-level=error && rm -r node_modules && node bundle.js 2>&1 | grep -o "forktrace is.*commonjs\\|FORKTRACE_BUNDLED"',
  },
  {
    code: 'FORKTRACE_WORKER_START',
    when: 'the app throws while it starts',
    files: {
      'database.js': "export function connect() {\n  throw new Error('no database at db:5432');\n}\n",
      'app.js': "import { connect } from './database.js';\n\nexport default () => {\n  connect();\n};\n",
    },
    command: run,
  },
  {
    code: 'FORKTRACE_WORKER_START',
    when: 'a timer of each of four workers throws while they start, and the error has a cause',
    files: {
      'app.js':
        "export default () => new Promise(() => {\n  setTimeout(() => {\n    throw new Error('no database', { cause: new Error('connect ECONNREFUSED db:5432') });\n  }, 1);\n});\n",
    },
    command: 'forktrace run app.js -w 4',
  },
  {
    code: 'FORKTRACE_WORKER_START',
    when: 'what the app imports is no JavaScript',
    files: {
      'routes.js': "export const routes = {\n  '/': (request, response) => response.end('hello',\n};\n",
      'app.js': "import { routes } from './routes.js';\n\nexport default () => routes['/'];\n",
    },
    command: 'forktrace run app.js -w 4',
  },
  {
    code: 'FORKTRACE_WORKER_START',
    when: 'what the app imports is not exported there',
    files: {
      'routes.js': 'export const routes = {};\n',
      'app.js': "import { rotues } from './routes.js';\n\nexport default () => rotues['/'];\n",
    },
    command: 'forktrace run app.js -w 4',
  },
  {
    code: 'FORKTRACE_WORKER_START',
    when: 'the app ends the process while it starts',
    files: { 'app.js': 'export default () => process.exit(3);\n' },
    command: run,
  },
  {
    code: 'FORKTRACE_WORKER_START',
    when: 'the app takes too long to start',
    files: {
      'server.js': cluster(
        '() => new Promise((resolve) => setTimeout(resolve, 1e8))',
        'supervise: { readyTimeoutMs: 700 }',
      ),
    },
    command: 'node server.js',
  },
  {
    code: 'FORKTRACE_APP_UNSUPPORTED',
    when: 'the factory returns nothing',
    files: { 'app.js': 'export default (worker) => {\n  worker.slot;\n};\n' },
    command: run,
  },
  {
    code: 'FORKTRACE_APP_NO_FACTORY',
    when: 'the module has no default export',
    files: { 'app.js': 'export const app = (request, response) => response.end();\n' },
    command: run,
  },
  {
    code: 'FORKTRACE_APP_NOT_FOUND',
    when: 'the path is misspelt',
    files: {},
    command: 'forktrace run ap.js -w 1',
  },
  {
    code: 'FORKTRACE_LISTEN',
    when: 'another process has the port',
    files: {
      'other.js': `import { createServer } from 'node:http';\ncreateServer().listen(process.env.PORT, () => console.log('taken'));\n`,
      'app.js': serves,
    },
    command: `node other.js & other=$!; while ! grep -qi ":$(printf %04x $PORT) " /proc/net/tcp6; do sleep 0.05; done; ${run}; code=$?; kill $other; exit $code`,
  },
  {
    code: 'FORKTRACE_LISTEN_IGNORED',
    when: 'the app listens by itself, and option listen says another address',
    files: {
      'server.js': cluster(
        "async () => (await import('node:http')).createServer((request, response) => response.end()).listen(Number(process.env.PORT))",
        'listen: 80',
      ),
    },
    command: 'node server.js',
    until: /LISTEN_IGNORED(.|\n)*serving at|serving at(.|\n)*LISTEN_IGNORED.*\n/,
  },
  {
    code: 'FORKTRACE_STARTED_TWICE',
    when: 'startClusterWithTracing is called for two apps',
    files: {
      'server.js': `${cluster('() => (request, response) => response.end("a")')}await startClusterWithTracing(() => (request, response) => response.end("b"), { listen: 3001 });\n`,
    },
    command: 'node server.js',
  },
  {
    code: 'FORKTRACE_BUNDLED',
    when: 'a bundle has forktrace in it, and runs where it is not installed',
    files: {
      'job.js': "import { traceFields } from 'forktrace';\nconsole.log(traceFields());\n",
      'start.js': "await import('./job.cjs').catch(({ code, message }) => console.log(code, message));\n",
    },
    packages: ['esbuild'],
    command:
      'node node_modules/esbuild/bin/esbuild job.js --bundle --platform=node --outfile=job.cjs --log-level=error; rm -r node_modules; node start.js',
  },
  {
    code: 'FORKTRACE_OPTION_IGNORED',
    when: 'startWorkerTracing is given options of a cluster',
    files: {
      'job.js':
        "import { startWorkerTracing } from 'forktrace';\nconst tracing = await startWorkerTracing({ workers: 4, listen: 3000 });\nawait tracing.shutdown();\n",
    },
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_SERVER_NOT_TRACED',
    when: 'traceServer is forgotten',
    files: {
      'server.js':
        "import { createServer } from 'node:http';\nimport { startWorkerTracing } from 'forktrace';\nawait startWorkerTracing();\ncreateServer((request, response) => response.end()).listen(Number(process.env.PORT), '127.0.0.1');\n",
    },
    command: 'node server.js',
    until: /NOT_TRACED.*\n/,
  },
];
