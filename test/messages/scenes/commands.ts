/**
 * What the command says when it cannot do what it is asked for.
 *
 * @module
 */
import type { Scene } from '../scene.js';
import { inBackground, run, serves } from './programs.js';

export const scenes: Scene[] = [
  {
    code: 'FORKTRACE_NO_JOURNAL',
    when: 'inspect of a path where nothing is',
    files: {},
    command: 'forktrace inspect /nowhere/shop',
  },
  {
    code: 'FORKTRACE_NO_JOURNAL',
    when: 'inspect of an empty directory',
    files: {},
    command: 'mkdir empty && forktrace inspect empty',
  },
  {
    code: 'FORKTRACE_NO_JOURNAL',
    when: 'inspect of the directory that holds the journals',
    files: { 'journals/shop/0123456789abcdef0123456789abcdef-1.segment': '' },
    command: 'forktrace inspect journals',
  },
  {
    code: 'FORKTRACE_NO_JOURNAL',
    when: 'ship of a directory of other things',
    files: {},
    command: 'mkdir -p others/thing && forktrace ship others',
  },
  {
    code: 'FORKTRACE_NO_WORKER',
    when: 'kill of a slot that does not exist',
    files: { 'app.js': serves },
    command:
      'forktrace run app.js -w 1 2> log & until grep -sq serving log; do sleep 0.1; done; forktrace kill 7; forktrace stop',
  },
  {
    code: 'FORKTRACE_NO_COORDINATOR',
    when: 'no cluster runs',
    files: {},
    command: 'forktrace status',
  },
  {
    code: 'FORKTRACE_SEVERAL_COORDINATORS',
    when: 'two clusters run',
    files: { 'app.js': serves },
    command: `${inBackground(run)}; one=$!; ${inBackground('forktrace run app.js -w 1 -p 0', 'other')}; other=$!; forktrace status; code=$?; kill $one $other; wait; (exit $code)`,
  },
  {
    code: 'FORKTRACE_RUN_DIR',
    when: 'the run directory is another user’s',
    files: {},
    needsRoot: true,
    command:
      'mkdir -m 700 tmp/forktrace-$(id -u) && (cd tmp/forktrace-* && mkdir run && chown 12345 run) && forktrace status',
  },
  {
    code: 'FORKTRACE_CONTROL_REQUEST',
    when: 'a client of the control socket asks for what there is not',
    files: {
      'app.js': serves,
      'ask.js':
        "import { readdirSync } from 'node:fs';\nimport { request } from 'node:http';\nconst [socket] = readdirSync(process.env.FORKTRACE_RUN_DIR);\nrequest({ socketPath: process.env.FORKTRACE_RUN_DIR + '/' + socket, method: 'POST', path: '/restart' }, (response) => response.pipe(process.stdout)).end();\n",
    },
    env: { FORKTRACE_RUN_DIR: 'run' },
    command: `${inBackground(run)}; node ask.js; forktrace stop`,
  },
  {
    code: 'FORKTRACE_CONTROL',
    when: 'a coordinator of another version answers with an error that has no code',
    files: {
      'other.js':
        "import { mkdirSync } from 'node:fs';\nimport { createServer } from 'node:http';\nmkdirSync(process.env.FORKTRACE_RUN_DIR, { mode: 0o700, recursive: true });\nconst server = createServer((request, response) => response.writeHead(500).end('{\"error\":{\"message\":\"the moon is in the way\"}}'));\nserver.listen(process.env.FORKTRACE_RUN_DIR + '/' + process.pid + '.sock', () => console.log('serving at'));\n",
    },
    env: { FORKTRACE_RUN_DIR: 'run' },
    command: `${inBackground('node other.js')}; forktrace status; code=$?; kill $!; (exit $code)`,
  },
  {
    code: 'FORKTRACE_NO_INSPECTOR',
    when: 'stack of a pid that no process has',
    files: {},
    command: 'forktrace stack 999999999',
  },
  {
    code: 'FORKTRACE_NO_DEATH',
    when: 'inspect --death where nobody has died',
    files: {},
    command: 'mkdir empty && forktrace inspect empty --death',
  },
  {
    code: 'FORKTRACE_SHIPPER_AT_WORK',
    when: 'ship of a journal whose cluster runs',
    files: { 'app.js': serves },
    collector: { does: 'takes everything' },
    command: `${inBackground(run)}; until ls tmp/forktrace-*/shop/shipper-*.lock > lock 2>&1; do sleep 0.05; done; forktrace ship tmp/forktrace-*/shop; code=$?; forktrace stop; (exit $code)`,
  },
  {
    code: 'FORKTRACE_NO_VIEWER',
    says: 'No viewer answers at',
    when: 'a coding agent asks for traces, and no viewer runs',
    files: {
      'ask.json':
        '{ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "find_traces", "arguments": {} } }\n',
    },
    command: 'forktrace mcp --viewer http://127.0.0.1:$PORT < ask.json',
  },
  {
    code: 'FORKTRACE_VIEWER_TOKEN',
    when: 'the viewer is to be reachable from other machines, without a token',
    files: {},
    command: 'forktrace viewer --host 0.0.0.0',
  },
  {
    code: 'FORKTRACE_VIEWER_FILE',
    when: '--file names another file',
    files: { 'notes.txt': 'what I wanted to say\n' },
    command: 'forktrace viewer --file notes.txt',
  },
  {
    code: 'FORKTRACE_VIEWER_PORT',
    when: 'every port near the wanted one is taken',
    files: {
      'taken.js':
        "import { createServer } from 'node:net';\nimport { once } from 'node:events';\nfor (let port = Number(process.env.PORT); port < Number(process.env.PORT) + 200; port += 10) {\n  const server = createServer().listen(port, '127.0.0.1');\n  await once(server, 'listening').catch(() => {});\n}\nconsole.log('serving at');\n",
    },
    command: `${inBackground('node taken.js')}; forktrace viewer --grpc-port $PORT; code=$?; kill $!; (exit $code)`,
  },
  {
    code: 'FORKTRACE_VIEWER_FILE_WRITE',
    when: 'the disk is full while the viewer writes its file',
    files: {
      // Of Node.js before 22.13, and kept as such.
      traces: 'FTVIEW1\n',
      'fill.js':
        "const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'x'.repeat(9000) };\nconst body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });\nconst headers = { 'content-type': 'application/json' };\nawait fetch('http://127.0.0.1:' + process.env.PORT + '/v1/traces', { method: 'POST', headers, body });\n",
    },
    // A limit on the size of files is as good as a full disk.
    command:
      '(ulimit -f 8; exec forktrace viewer --file traces --http-port $PORT --grpc-port 0 > log) & until grep -sq "traces at" log; do sleep 0.05; done; node fill.js; wait',
    until: /FILE_WRITE.*\n/,
  },
];
