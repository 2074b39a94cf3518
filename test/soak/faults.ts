/**
 * The faults of a soak: each is switched on, holds for a few seconds, and is switched off.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { Relay } from '../endpoint/relay.js';
import { type ClusterService, type PlainService, pick, type Service } from './service.js';

export interface Fault {
  name: string;
  on(): unknown;
  off?(): unknown;
  /** Spans that end meanwhile may be lost; they have to be counted. */
  mayLose?: true;
  /** Milliseconds that it holds. @default 2 to 6 seconds */
  holdMs?: number;
}

export interface World {
  endpoint: OtlpEndpoint;
  /** Each service's way to it. */
  relays: Relay[];
  plain: PlainService;
  cluster: ClusterService;
  dir: string;
  /** The journals have a file system of their own. */
  isMounted: boolean;
}

/** Fewer than a process has open: whatever it opens next fails. */
const FEW_DESCRIPTORS = 4;

export function faults({ endpoint, relays, plain, cluster, dir, isMounted }: World): Fault[] {
  const services: Service[] = [plain, cluster];
  const answers = (name: string, answer: Parameters<OtlpEndpoint['answerWith']>[0]): Fault => ({
    name: `the endpoint ${name}`,
    on: () => endpoint.answerWith(answer),
    off: () => endpoint.answerOk(),
  });
  const stopped = (name: string, pid: () => number | undefined): Fault => {
    let of: number | undefined;
    return {
      name,
      on: () => {
        of = pid();
        signal(of, 'SIGSTOP');
      },
      off: () => signal(of, 'SIGCONT'),
    };
  };
  const starved = (name: string, pid: () => number | undefined, mayLose?: true): Fault => {
    let undo = () => {};
    return {
      name,
      mayLose,
      on: () => {
        undo = takeDescriptors(pid());
        for (const relay of relays) relay.cut();
      },
      off: () => undo(),
    };
  };
  const anyShipper = () => pick(services)!.shipper();
  const anyWriter = () => pick(pick(services)!.writers())?.pid;
  const stall = (isStalled: boolean) => {
    for (const relay of relays) relay.stall(isStalled);
  };
  /** Whoever waits for an answer waits no longer. */
  const restart = () => {
    endpoint.answerOk();
    return endpoint.restart();
  };
  let token = 0;
  let cutter: NodeJS.Timeout | undefined;

  return [
    answers('is unavailable (UNAVAILABLE, 503)', { answer: 'unavailable' }),
    answers('is unavailable and asks for a second', { answer: 'unavailable', retryAfterMs: 1000 }),
    answers('throttles (RESOURCE_EXHAUSTED, 429), with a delay', { answer: 'resource-exhausted', retryAfterMs: 300 }),
    answers('throttles without a delay', { answer: 'resource-exhausted' }),
    answers('is slow', { answer: 'slow', delayMs: 500 }),
    answers('refuses the login (UNAUTHENTICATED, 401)', { answer: 'fail', grpc: status.UNAUTHENTICATED, http: 401 }),
    answers('is at another address (UNIMPLEMENTED, 404)', { answer: 'fail', grpc: status.UNIMPLEMENTED, http: 404 }),
    answers('answers 200 with a web page', { answer: 'web-page' }),
    answers('stumbles (INTERNAL, 500)', { answer: 'fail', grpc: status.INTERNAL, http: 500 }),
    answers('refuses everything as bad data', { answer: 'invalid-argument' }),
    answers('refuses single spans as bad data', { answer: 'refuse-spans', named: / bad$/ }),
    { ...answers('answers a byte at a time', { answer: 'trickle' }), off: restart, holdMs: 12_000 },
    { ...answers('never answers', { answer: 'hang' }), off: restart },
    { name: 'the endpoint is down', on: () => endpoint.stop(), off: restart },
    {
      name: 'the endpoint is down for half a minute',
      on: () => endpoint.stop(),
      off: restart,
      holdMs: 30_000,
    },
    {
      name: 'connections are reset',
      on: () => {
        cutter = setInterval(() => {
          for (const relay of relays) relay.cut();
        }, 50);
      },
      off: () => clearInterval(cutter),
    },
    {
      name: 'connections stall',
      on: () => stall(true),
      off: () => stall(false),
    },
    {
      name: 'the login is rotated',
      on: () => {
        endpoint.requireHeader('authorization', `token-${++token}`);
        for (const service of services) service.rotate(`token-${token}`);
      },
    },
    { name: 'a worker of a cluster is killed', on: () => cluster.killWriter() },
    { name: 'a process without a coordinator is killed', on: () => plain.killWriter() },
    { name: 'a shipper is killed', on: () => signal(anyShipper(), 'SIGKILL') },
    { name: 'a coordinator is killed', on: () => cluster.killCoordinator(false) },
    {
      name: 'coordinator, workers and shipper are killed at once',
      on: () => {
        signal(cluster.shipper(), 'SIGKILL');
        cluster.killCoordinator(true);
      },
    },
    { name: 'the cluster is reloaded', on: () => signal(cluster.coordinator.pid, 'SIGHUP') },
    stopped('a worker is stopped (SIGSTOP)', anyWriter),
    stopped('a shipper is stopped (SIGSTOP)', anyShipper),
    starved('a worker has no descriptors left (EMFILE)', anyWriter, true),
    starved('a shipper has no descriptors left (EMFILE)', anyShipper),
    {
      name: "a journal's directory is deleted",
      mayLose: true,
      on: () => rmSync(pick(services)!.journal, { recursive: true, force: true }),
    },
    ...(isMounted
      ? [
          {
            name: 'the disk is full',
            mayLose: true,
            on: () => fill(join(dir, 'filling')),
            off: () => rmSync(join(dir, 'filling')),
          } as const,
        ]
      : []),
  ];
}

function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // It has just ended.
  }
}

/** @returns what gives them back */
function takeDescriptors(pid: number | undefined): () => void {
  if (pid === undefined) return () => {};
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))!;
    const limit = (to: number | string) =>
      execFileSync('prlimit', ['--pid', String(pid), `--nofile=${to}:`], { stdio: 'pipe' });
    limit(FEW_DESCRIPTORS);
    return () => {
      try {
        limit(soft!);
      } catch {
        // It has ended.
      }
    };
  } catch {
    return () => {};
  }
}

function fill(path: string): void {
  const file = openSync(path, 'w');
  for (const bytes of [Buffer.alloc(1024 * 1024), Buffer.alloc(4096)]) {
    try {
      for (;;) writeSync(file, bytes);
    } catch {
      // ENOSPC: to the last page.
    }
  }
  closeSync(file);
}
