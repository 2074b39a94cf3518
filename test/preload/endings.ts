/**
 * Programs that end in many ways. Their code sees `fs`, `http`, `threads`, `children`, `say(text)` for what
 * they have to say of their end, and `tracer`.
 *
 * @module
 */

export interface Program {
  code: string;
  /** Node's own options, as NODE_OPTIONS takes them. */
  nodeOptions?: string;
  /** Sent one after the other, each once the program has said one line more. */
  signals?: NodeJS.Signals[];
  /** Only an ES module can: it awaits at its top level. */
  awaits?: true;
  /** Run by every `npm test`; the others with ENDINGS=all. */
  always?: true;
}

const OUT_OF_LUCK = "throw new RangeError('out of luck')";
const STAYS = "say('ready'); setInterval(() => {}, 1000);";
const SAYS_CODE = "process.on('exit', (code) => say('exit ' + code + ' ' + process.exitCode));";

const always = (code: string, more: Partial<Program> = {}): Program => ({ code, always: true, ...more });

export const programs: Record<string, Program> = {
  'the event loop runs empty': { code: SAYS_CODE },
  'exit(undefined) with an exit code': always(`${SAYS_CODE} process.exitCode = 5; process.exit(undefined);`),
  "exit('7')": { code: `${SAYS_CODE} process.exit('7');` },
  'exit(null)': { code: `${SAYS_CODE} process.exit(null);` },
  'exit(1.5)': { code: 'process.exit(1.5);' },
  "exit('x')": { code: "process.exit('x');" },
  'exit(true)': { code: 'process.exit(true);' },
  'exit(-1)': { code: 'process.exit(-1);' },
  'exit(263)': { code: 'process.exit(263);' },
  'exit in a timer': { code: 'setTimeout(() => process.exit(4), 5);' },
  'exit in a microtask': { code: 'queueMicrotask(() => process.exit(4));' },
  'exit in a tick': { code: 'process.nextTick(() => process.exit(4));' },
  'an exit code as text': { code: `${SAYS_CODE} process.exitCode = '9';` },
  'an exit code that is taken back': { code: `${SAYS_CODE} process.exitCode = 9; process.exitCode = undefined;` },
  'an exit code that cannot be': { code: "try { process.exitCode = 'x'; } catch (error) { say(error.code); }" },
  'an exit code of the last listener': always(
    `process.exitCode = 3; ${SAYS_CODE} process.on('exit', () => { process.exitCode = 11; }); ${SAYS_CODE}`,
  ),
  'no exit code, says a listener': {
    code: "process.exitCode = 3; process.on('exit', () => { process.exitCode = undefined; });",
  },
  'an exit code of beforeExit': { code: `${SAYS_CODE} process.on('beforeExit', () => { process.exitCode = 12; });` },
  'beforeExit with more work': always(
    `${SAYS_CODE} let times = 0;
    process.on('beforeExit', (code) => { say(\`before \${code}\`); if (times++ < 3) setTimeout(() => say('worked'), 2); });`,
  ),
  'beforeExit that reads a file': {
    code: "process.once('beforeExit', async () => { await fs.promises.readFile(process.execPath + '/../..').catch(() => {}); say('read'); });",
  },
  'beforeExit that exits': { code: `${SAYS_CODE} process.on('beforeExit', () => process.exit(6));` },
  'beforeExit that throws': { code: `${SAYS_CODE} process.on('beforeExit', () => { ${OUT_OF_LUCK}; });` },
  'exit in a listener of exit': always(
    "process.on('exit', () => { say('first'); process.exit(13); }); process.on('exit', () => say('second')); process.exit(3);",
  ),
  'throw in a listener of exit': always(
    `process.on('exit', () => { say('first'); ${OUT_OF_LUCK}; }); process.on('exit', () => say('second')); process.exit(3);`,
  ),
  'listeners of exit in their order': always(
    "process.on('exit', () => say('1')); process.prependListener('exit', () => say('0')); process.once('exit', () => { say('2'); process.on('exit', () => say('late')); });",
  ),
  'as many listeners as are usual': always(
    "for (let n = 0; n < 9; n++) process.on('exit', () => say(n)); process.on('warning', ({ name }) => say(name)); setTimeout(() => {}, 5);",
  ),
  'listeners of exit taken away': {
    code: "process.removeAllListeners('exit'); process.on('exit', () => say('own')); process.exit(2);",
  },
  'exit emitted by hand': { code: `${SAYS_CODE} process.emit('exit', 0); process.exit(2);` },
  reallyExit: { code: `${SAYS_CODE} process.reallyExit(5);` },
  'exit replaced': {
    code: 'const { exit } = process; process.exit = (code) => { say(code); exit.call(process, 21); }; process.exit(1);',
  },
  'globals replaced': always(
    "for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']) globalThis[name] = () => { throw new Error(name); };\n" +
      `tracer.startSpan('late').end(); ${SAYS_CODE} process.exit(2);`,
  ),
  'intrinsics frozen': always(`${SAYS_CODE} setImmediate(() => process.exit(3));`, {
    nodeOptions: '--frozen-intrinsics',
  }),
  'throw in the main module': always(`${SAYS_CODE} ${OUT_OF_LUCK};`),
  'throw in a timer': { code: `${SAYS_CODE} setTimeout(() => { ${OUT_OF_LUCK}; }, 2);` },
  'throw in a tick': { code: `process.nextTick(() => { ${OUT_OF_LUCK}; });` },
  'throw in a promise': { code: `${SAYS_CODE} Promise.resolve().then(() => { ${OUT_OF_LUCK}; });` },
  'throw in a span': { code: `setImmediate(() => tracer.startActiveSpan('active', () => { ${OUT_OF_LUCK}; }));` },
  "throw in a request's handler": always(
    `const server = http.createServer(() => { ${OUT_OF_LUCK}; });
    server.listen(0, '127.0.0.1', () => http.get({ host: '127.0.0.1', port: server.address().port }).on('error', () => {}));`,
  ),
  "rejection in a request's handler": {
    code: `const server = http.createServer(async () => { ${OUT_OF_LUCK}; });
    server.listen(0, '127.0.0.1', () => http.get({ host: '127.0.0.1', port: server.address().port }).on('error', () => {}));`,
  },
  "exit in a request's handler": {
    code: `const server = http.createServer((_request, response) => { response.end('bye'); process.exit(7); });
    server.listen(0, '127.0.0.1', () => http.get({ host: '127.0.0.1', port: server.address().port }).on('error', () => {}));`,
  },
  'throw of undefined': { code: 'setImmediate(() => { throw undefined; });' },
  'throw of a symbol': { code: "setImmediate(() => { throw Symbol('odd'); });" },
  'throw of an error that cannot be read': always(
    "setImmediate(() => { throw Object.defineProperties(new Error('odd'), { message: { get() { throw 1; } }, name: { get() { throw 2; } } }); });",
  ),
  'throw of a proxy that traps': {
    code: "setImmediate(() => { throw new Proxy(new Error('odd'), { get() { throw new Error('trap'); } }); });",
  },
  'rejection with null': always('Promise.reject(null);'),
  'rejection with a frozen error': { code: "Promise.reject(Object.freeze(new Error('cold')));" },
  'rejection with an object': { code: 'Promise.reject({ a: 1 });' },
  'stack traces that cannot be made': {
    code: `Error.prepareStackTrace = () => { throw new Error('no'); }; setImmediate(() => { ${OUT_OF_LUCK}; });`,
  },
  ...Object.fromEntries(
    ['strict', 'warn', 'none', 'warn-with-error-code', 'throw'].flatMap((mode) => [
      [
        `rejection, ${mode}`,
        {
          code: `${SAYS_CODE} Promise.reject(new TypeError('kept no promise')); setTimeout(() => say('later'), 10);`,
          nodeOptions: `--unhandled-rejections=${mode}`,
          ...(mode === 'warn-with-error-code' && { always: true as const }),
        },
      ],
      [
        `rejection with listeners, ${mode}`,
        {
          code: `process.on('unhandledRejection', ({ message }) => say(message)); process.on('uncaughtException', (error, origin) => say(origin));
          ${SAYS_CODE} const rejected = Promise.reject(new TypeError('kept no promise')); setTimeout(() => rejected.catch(() => say('late')), 5);`,
          nodeOptions: `--unhandled-rejections=${mode}`,
        },
      ],
    ]),
  ),
  'an exception that a listener survives': always(
    `process.on('uncaughtException', ({ message }, origin) => say(message + origin)); ${SAYS_CODE} setTimeout(() => { ${OUT_OF_LUCK}; }, 2); setTimeout(() => say('later'), 10);`,
  ),
  'an exception at which a listener exits': {
    code: `process.on('uncaughtException', () => process.exit(32)); setTimeout(() => { ${OUT_OF_LUCK}; }, 2);`,
  },
  'an exception at which a listener throws': always(
    `process.on('uncaughtException', () => { throw new Error('again'); }); ${SAYS_CODE} setTimeout(() => { ${OUT_OF_LUCK}; }, 2);`,
  ),
  'an exception, cleaned up after': {
    code: `process.on('uncaughtException', () => setTimeout(() => process.exit(34), 5)); setTimeout(() => { ${OUT_OF_LUCK}; }, 2);`,
  },
  'an exception that is captured': always(
    `process.setUncaughtExceptionCaptureCallback(({ message }) => say(message)); setTimeout(() => { ${OUT_OF_LUCK}; }, 2); setTimeout(() => say('later'), 10);`,
  ),
  'an exception whose monitor throws': {
    code: `process.on('uncaughtExceptionMonitor', () => { throw new Error('monitor'); }); ${SAYS_CODE} setTimeout(() => { ${OUT_OF_LUCK}; }, 2);`,
  },
  'an exception in a domain': {
    code: `const domain = process.getBuiltinModule?.('node:domain').create(); domain?.on('error', ({ message }) => say(message)); domain?.run(() => setTimeout(() => { ${OUT_OF_LUCK}; }, 2));`,
  },
  'a top level that never goes on': always(`${SAYS_CODE} await new Promise(() => {});`, { awaits: true }),
  'a top level that rejects': { code: "await Promise.reject(new Error('top'));", awaits: true },
  'an import of nothing': { code: "await import('nowhere-at-all');", awaits: true },
  'a listener of SIGTERM that cleans up': always(
    `process.once('SIGTERM', () => setTimeout(() => { say('clean'); process.exit(0); }, 10)); ${STAYS}`,
    { signals: ['SIGTERM'] },
  ),
  'a listener of SIGTERM that throws': {
    code: `process.on('SIGTERM', () => { ${OUT_OF_LUCK}; }); ${STAYS}`,
    signals: ['SIGTERM'],
  },
  'a listener that counts listeners': always(
    `process.on('SIGTERM', () => { say(process.listenerCount('SIGTERM')); process.exit(1); }); ${STAYS}`,
    { signals: ['SIGTERM'] },
  ),
  'two signals, the second unheard': always(`process.once('SIGTERM', () => say('heard')); ${STAYS}`, {
    signals: ['SIGTERM', 'SIGTERM'],
  }),
  'SIGUSR2, raised again': always(
    `process.once('SIGUSR2', () => { say('heard'); process.kill(process.pid, 'SIGUSR2'); }); ${STAYS}`,
    { signals: ['SIGUSR2'] },
  ),
  'SIGTERM while it is busy': always(
    "process.on('SIGTERM', () => process.exit(3)); say('ready'); const end = Date.now() + 100; while (Date.now() < end); setInterval(() => {}, 1000);",
    {
      signals: ['SIGTERM'],
    },
  ),
  ...Object.fromEntries(
    (
      [
        'SIGTERM',
        'SIGINT',
        'SIGHUP',
        'SIGQUIT',
        'SIGUSR2',
        'SIGXCPU',
        'SIGALRM',
        'SIGKILL',
        'SIGSEGV',
        'SIGABRT',
        'SIGBUS',
      ] as const
    ).map((signal) => [`${signal}, unheard`, { code: STAYS, signals: [signal] }]),
  ),
  'a signal to itself': { code: "process.kill(process.pid, 'SIGQUIT'); setInterval(() => {}, 1000);" },
  'a signal to itself at its exit': {
    code: "process.on('exit', () => process.kill(process.pid, 'SIGKILL')); process.exit(3);",
  },
  'a stack overflow': { code: `${SAYS_CODE} const again = () => again() + 1; setImmediate(again);` },
  'an exception that aborts': {
    code: `setImmediate(() => { ${OUT_OF_LUCK}; });`,
    nodeOptions: '--abort-on-uncaught-exception',
  },
  'a child that lives longer': {
    code: "children.spawn(process.execPath, ['-e', 'setTimeout(() => {}, 300)'], { detached: true, stdio: 'ignore' }).unref(); process.exit(2);",
  },
  'a child that cannot start': { code: "children.spawn('nowhere-at-all');" },
  'a thread that lives': always(
    "new threads.Worker('setInterval(() => {}, 1000); require(\"node:worker_threads\").parentPort.postMessage(1)', { eval: true }).on('message', () => process.exit(3));",
  ),
  'a thread that throws': {
    code: "new threads.Worker('throw new Error(\"thread\")', { eval: true }).on('error', ({ message }) => say(message));",
  },
  'a thread that exits': {
    code: "new threads.Worker('process.exit(5)', { eval: true }).on('exit', (code) => say(code));",
  },
  'timers and servers that hold nothing': {
    code: `setInterval(() => say('never'), 5000).unref(); http.createServer().listen(0, '127.0.0.1').unref(); ${SAYS_CODE}`,
  },
  'a server that closes beside a connection': always(
    `const agent = new http.Agent({ keepAlive: true }); const server = http.createServer((_request, response) => response.end('hello'));
    server.listen(0, '127.0.0.1', () => http.get({ agent, host: '127.0.0.1', port: server.address().port }, (response) => response.resume().on('end', () => server.close(() => { say('closed'); agent.destroy(); }))));`,
  ),
  'much output, then exit': { code: "for (let n = 0; n < 100; n++) console.log('line', n); process.exit();" },
  'standard output destroyed': { code: 'process.stdout.destroy(); setTimeout(() => process.exit(3), 5);' },
  'a first span at its exit': { code: "process.on('exit', () => tracer.startSpan('late').end());" },
  'an empty environment': {
    code: 'for (const name of Object.keys(process.env)) delete process.env[name]; process.exit(2);',
  },
};
