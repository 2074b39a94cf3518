/**
 * Programs that several scenes run.
 *
 * @module
 */

export const serves = 'export default () => (request, response) => response.end("hello");\n';

export const run = 'forktrace run app.js -w 1';

/** server.js with one worker. */
export const cluster = (app: string, config = '') =>
  `import { startClusterWithTracing } from 'forktrace';\nawait startClusterWithTracing(${app}, { workers: 1${config && `, ${config}`} });\n`;

/** Runs in the background until it serves; what it says is in `log`. */
export const inBackground = (command: string, log = 'log') =>
  `${command} > ${log} 2>&1 & until grep -sq 'serving at' ${log}; do sleep 0.05; done`;

/** Writes spans to a journal, and is killed before they are shipped. */
export const killed = (work = "trace.getTracer('job').startSpan('work').end();") =>
  `import { trace } from '@opentelemetry/api';\nimport { startWorkerTracing } from 'forktrace';\nstartWorkerTracing({ ship: 'inline' });\n${work}\nprocess.kill(process.pid, 'SIGKILL');\n`;

export const leavesJournal = '{ node job.js; } 2> log';

export const journal = 'tmp/forktrace-*/shop';

/** In any order: two processes write to the terminal. */
export const servesAndSays = (code: string) =>
  new RegExp(`serving at(.|\\n)*${code}.*\\n|${code}(.|\\n)*serving at.*\\n`);
