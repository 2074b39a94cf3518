/**
 * What is said of spans, of other instrumentations, and of what is installed.
 *
 * @module
 */
import type { Scene } from '../scene.js';
import { serves, servesAndSays } from './programs.js';

const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';

export const scenes: Scene[] = [
  {
    code: 'FORKTRACE_SPAN_TARGET',
    when: 'span is given no function',
    files: {
      'job.js':
        "import { span } from 'forktrace';\ntry {\n  span({ name: 'work' }, 42);\n} catch ({ code, message }) {\n  console.log(code, message);\n}\n",
    },
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_MESSAGE_CHANNEL',
    when: 'a message is sent to no channel',
    files: {
      'job.js':
        "import { sendTraced } from 'forktrace';\ntry {\n  sendTraced('the other process', { order: 1 });\n} catch ({ code, message }) {\n  console.log(code, message);\n}\n",
    },
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_REGISTERED_TWICE',
    when: 'OpenTelemetry’s own SDK is started as well',
    files: {
      'job.js':
        "import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';\nimport { startWorkerTracing } from 'forktrace';\nnew NodeTracerProvider().register();\nconst tracing = startWorkerTracing();\nawait tracing.shutdown();\n",
    },
    packages: ['@opentelemetry/sdk-trace-node'],
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_HTTP_INSTRUMENTED_TWICE',
    when: 'another instrumentation of http makes server spans',
    files: {
      'server.js':
        "import { createRequire } from 'node:module';\nimport { HttpInstrumentation } from '@opentelemetry/instrumentation-http';\nimport { startWorkerTracing, traceServer } from 'forktrace';\nnew HttpInstrumentation();\nconst { createServer } = createRequire(import.meta.url)('node:http');\nconst tracing = startWorkerTracing();\nconst server = createServer((request, response) => response.end());\ntraceServer(server);\nserver.listen(process.env.PORT, async () => {\n  await fetch('http://localhost:' + process.env.PORT);\n  server.close();\n  await tracing.shutdown();\n});\n",
    },
    packages: ['@opentelemetry/instrumentation-http'],
    command: 'node server.js',
  },
  {
    code: 'FORKTRACE_HTTP_UNTRACED',
    when: 'a request throws when it is looked at',
    files: {
      'server.js':
        "import { createServer } from 'node:http';\nimport { startWorkerTracing, traceServer } from 'forktrace';\nconst tracing = startWorkerTracing();\nconst server = createServer(() => {});\ntraceServer(server);\nclass Odd {\n  get headers() {\n    throw new Error('no headers');\n  }\n}\nserver.emit('request', new Odd(), new Odd());\nawait tracing.shutdown();\n",
    },
    command: 'node server.js',
  },
  {
    code: 'FORKTRACE_OUTGOING_MISSING',
    when: 'outgoing requests are to be traced, and nothing is installed for it',
    files: {
      'job.js':
        "import { startWorkerTracing } from 'forktrace';\nconst tracing = startWorkerTracing({ outgoing: true });\nawait tracing.shutdown();\n",
    },
    alone: true,
    command: 'node job.js',
  },
  {
    code: 'FORKTRACE_INSTRUMENTATION_FAILED',
    when: 'an installed instrumentation cannot be enabled',
    files: {
      'job.js': "console.log('work');\n",
      'node_modules/@opentelemetry/instrumentation-moon/package.json':
        '{ "name": "@opentelemetry/instrumentation-moon", "version": "0.1.0", "main": "index.cjs" }\n',
      'node_modules/@opentelemetry/instrumentation-moon/index.cjs': "throw new Error('no moon');\n",
    },
    env: { FORKTRACE_INSTRUMENTATIONS: 'auto' },
    command: 'node --import forktrace/register job.js',
  },
  {
    code: 'FORKTRACE_INSTRUMENTATION_VERSION',
    when: 'an installed instrumentation is for another Node.js',
    files: {
      'job.js': "console.log('work');\n",
      'node_modules/@opentelemetry/instrumentation-moon/package.json':
        '{ "name": "@opentelemetry/instrumentation-moon", "version": "9.0.0", "engines": { "node": ">=99" } }\n',
    },
    env: { FORKTRACE_INSTRUMENTATIONS: 'auto' },
    command: 'node --import forktrace/register job.js',
  },
  {
    code: 'FORKTRACE_LOADED_TOO_EARLY',
    when: 'a package is loaded before its instrumentation',
    files: {
      'job.cjs':
        "require('moon');\nconst { startWorkerTracing } = require('forktrace');\nstartWorkerTracing({ instrumentations: 'auto' }).shutdown();\n",
      'node_modules/moon/index.js': '',
      'node_modules/@opentelemetry/instrumentation-moon/package.json':
        '{ "name": "@opentelemetry/instrumentation-moon", "version": "0.1.0", "main": "index.cjs" }\n',
      'node_modules/@opentelemetry/instrumentation-moon/index.cjs':
        "const { InstrumentationBase, InstrumentationNodeModuleDefinition } = require('@opentelemetry/instrumentation');\nclass MoonInstrumentation extends InstrumentationBase {\n  constructor(config) {\n    super('@opentelemetry/instrumentation-moon', '0.1.0', config);\n  }\n  init() {\n    return [new InstrumentationNodeModuleDefinition('moon', ['*'])];\n  }\n}\nmodule.exports = { MoonInstrumentation };\n",
    },
    packages: ['@opentelemetry/instrumentation'],
    command: 'node job.cjs',
  },
  {
    code: 'FORKTRACE_API_COPIES',
    when: 'an older version of the API is used before a newer one',
    files: {
      'job.cjs':
        "const { diag } = require('@opentelemetry/api');\ndiag.setLogger({ error() {}, warn() {}, info() {}, debug() {}, verbose() {} });\nrequire('./newer/node_modules/@opentelemetry/api');\nconst { startWorkerTracing } = require('forktrace');\nstartWorkerTracing().shutdown();\n",
    },
    copies: { 'newer/node_modules/@opentelemetry/api': ['@opentelemetry/api', '1.10.0'] },
    command: 'node job.cjs',
  },
  {
    code: 'FORKTRACE_SHIPS_INLINE',
    when: 'the permission model lets the process start no other one',
    files: {
      'job.js':
        "import { trace } from '@opentelemetry/api';\ntrace.getTracer('job').startSpan('work').end();\nconsole.log('work is done');\n",
    },
    collector: { does: 'takes everything' },
    command: `node --disable-warning=ExperimentalWarning ${permission} --allow-fs-read=* --allow-fs-write=* --import forktrace/register job.js`,
  },
  {
    code: 'FORKTRACE_START_FAILED',
    when: 'the process has no file descriptors left when tracing starts',
    files: {
      'job.js':
        "import { openSync } from 'node:fs';\nimport { trace } from '@opentelemetry/api';\ntry {\n  for (;;) openSync('job.js');\n} catch {\n  trace.getTracer('job').startSpan('work').end();\n  console.log('work is done');\n}\n",
    },
    collector: { does: 'takes everything' },
    command: 'ulimit -n 200; node --import forktrace/register job.js',
  },
  {
    code: 'FORKTRACE_ENV_IGNORED',
    when: 'a variable of OpenTelemetry has a value that nobody knows',
    files: { 'app.js': serves },
    env: { OTEL_TRACES_SAMPLER: 'sometimes' },
    command: 'forktrace run app.js -w 1',
    until: servesAndSays('FORKTRACE_ENV_IGNORED'),
  },
  {
    code: 'FORKTRACE_ENV_UNKNOWN',
    when: 'a variable is misspelt',
    files: { 'app.js': serves },
    env: { FORKTRACE_PIPLINE: 'batch' },
    command: 'forktrace run app.js -w 1',
    until: servesAndSays('FORKTRACE_ENV_UNKNOWN'),
  },
];
