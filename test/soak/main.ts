/**
 * `npm run soak -- --faults`: writers at a steady rate, and one fault after the other switched on and off: an
 * endpoint that is away, hangs, is slow, throttles, refuses the login, the address or single spans, and takes
 * small requests only; a shipper or a writer that is killed, a writer that is stopped for a while, a token
 * that is rotated. At the end each span has to be accounted for.
 *
 *   npm run soak -- --faults --minutes 5    30 minutes otherwise
 *
 * @module
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { listJournal } from '#src/journal/reader.js';
import { shipperPid } from '#src/shipper/lock.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const minutes = Number(process.argv[2] ?? 30);
const WRITERS = 2;
const SETTLE_MS = 180_000;

const cleanUps: (() => unknown)[] = [];
const t = { after: (fn: () => unknown) => void cleanUps.unshift(fn) };
const dir = await tempDir(t as never);
const journal = join(dir, 'soak');
const endpoint = await OtlpEndpoint.start(t as never, { maxRequestBytes: 128 * 1024 });

/** How often each span has come. */
const received = new Map<string, number>();
const interrupted = new Set<string>();
function collect(): void {
  for (const { name, attributes } of endpoint.received()) {
    received.set(name, (received.get(name) ?? 0) + 1);
    if (attributes['forktrace.interrupted'] === true) interrupted.add(name);
  }
  endpoint.clear();
}

interface Writer {
  id: string;
  program: Program;
  killed: boolean;
}
const writers: Writer[] = [];
let token = 0;
function startWriter(): Writer {
  const id = `w${writers.length}`;
  const program = runProgram(t as never, fixture('soak-writer'), {
    args: [id],
    ipc: true,
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'soak',
      FORKTRACE_JOURNAL_DIR: dir,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=token-${token}`,
    },
  });
  const writer = { id, program, killed: false };
  writers.push(writer);
  return writer;
}
const living = () => writers.filter(({ killed }) => !killed);
const pick = <T>(from: T[]): T => from[Math.floor(Math.random() * from.length)]!;

function killOne(): void {
  const writer = pick(living());
  writer.killed = true;
  writer.program.kill('SIGKILL');
  startWriter();
}

const FAULTS: [string, () => unknown, (() => unknown)?][] = [
  ['unavailable', () => endpoint.answerWith({ answer: 'unavailable' })],
  ['throttled', () => endpoint.answerWith({ answer: 'resource-exhausted', retryAfterMs: 300 })],
  ['slow', () => endpoint.answerWith({ answer: 'slow', delayMs: 500 })],
  ['hanging', () => endpoint.answerWith({ answer: 'hang' }), () => endpoint.restart()],
  ['away', () => endpoint.stop(), () => endpoint.restart()],
  ['login refused', () => endpoint.answerWith({ answer: 'fail', grpc: status.UNAUTHENTICATED, http: 401 })],
  ['address refused', () => endpoint.answerWith({ answer: 'fail', grpc: status.UNIMPLEMENTED, http: 404 })],
  ['everything refused', () => endpoint.answerWith({ answer: 'invalid-argument' })],
  ['single spans refused', () => endpoint.answerWith({ answer: 'refuse-spans', named: / bad$/ })],
  [
    'shipper killed',
    () => {
      const pid = shipperPid(journal);
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    },
  ],
  ['writer killed', killOne],
  [
    'writer stopped',
    () => pick(living()).program.kill('SIGSTOP'),
    () => {
      for (const { program } of living()) program.kill('SIGCONT');
    },
  ],
  [
    'token rotated',
    () => {
      endpoint.requireHeader('authorization', `token-${++token}`);
      killOne();
    },
  ],
];

for (let n = 0; n < WRITERS; n++) startWriter();
const endsAt = performance.now() + minutes * 60_000;
const counts = new Map<string, number>();
endpoint.requireHeader('authorization', 'token-0');
for (let n = 0; performance.now() < endsAt; n++) {
  // Each once before any comes again, then at random.
  const [name, begin, end] = n < FAULTS.length ? FAULTS[n]! : pick(FAULTS);
  counts.set(name, (counts.get(name) ?? 0) + 1);
  console.log(`${new Date().toISOString()} ${name}`);
  await begin();
  await sleep(1500 + Math.random() * 4000);
  await end?.();
  endpoint.answerOk();
  await sleep(1500);
  collect();
}

const last = living();
for (const { program } of last) program.child.send('end');
for (const { program } of last) await program.waitForExit(SETTLE_MS);

const missing = (): string[] => {
  const names: string[] = [];
  for (const { id, program } of writers) {
    const written = Math.max(0, ...(program.messages as number[]));
    for (let number = 0; number < written; number++) {
      const name = `${id} ${number}`;
      // What was refused as bad data is gone for good.
      if (number % 97 !== 0 && !received.has(name)) names.push(name);
    }
    if (program.messages.length > 0 && !received.has(`${id} open`)) names.push(`${id} open`);
  }
  return names;
};
/** Post-mortems stay. */
const filesLeft = () => readdirSync(journal).filter((name) => !name.startsWith('shipper-') && name !== 'deaths');
for (const until = performance.now() + SETTLE_MS; performance.now() < until; await sleep(500)) {
  collect();
  if (missing().length === 0 && listJournal(journal).length === 0) break;
}

const lost = missing();
const twice = [...received.values()].filter((times) => times > 1).length;
const deadWithSpans = writers.filter(({ killed, program }) => killed && program.messages.length > 0);
const unexplained = deadWithSpans.filter(({ id }) => !interrupted.has(`${id} open`));
const refusals = writers.map(({ program }) => program.stderr.match(/refused \d+ spans? for good/g)?.length ?? 0);
console.log([...counts].map(([name, times]) => `${times} × ${name}`).join(', '));
console.log(
  `${received.size} spans received, ${twice} more than once, ${lost.length} lost ${lost.slice(0, 5).join(', ')}; ` +
    `${deadWithSpans.length} writers killed, ${unexplained.length} without their interrupted span; ` +
    `${refusals.reduce((sum, each) => sum + each, 0)} reports of refusals; files left: ${filesLeft().join(', ') || 'none'}`,
);
if (lost.length > 0 || unexplained.length > 0) {
  console.log(
    `lost: ${lost.join(', ')}; without their interrupted span: ${unexplained.map(({ id }) => id).join(', ')}`,
  );
  for (const { id, program } of writers)
    if (program.stderr) console.log(`${id} and the shipper that it started:\n${program.stderr}`);
}
for (const cleanUp of cleanUps) await cleanUp();
if (lost.length > 0 || unexplained.length > 0) process.exitCode = 1;
