import assert from 'node:assert/strict';
import { type Cluster, type ClusterAction, type ClusterEvent, newCluster } from '#src/coordinator/cluster-state.js';
import type { IncarnationEvent } from '#src/coordinator/incarnation.js';
import type { SupervisePolicy } from '#src/coordinator/policy.js';
import { nextWake } from '#src/coordinator/respawns.js';
import { stepCluster } from '#src/coordinator/step-cluster.js';

export const policy: SupervisePolicy = {
  shutdownTimeoutMs: 10_000,
  readyTimeoutMs: 5000,
  backoffMinMs: 100,
  backoffMaxMs: 10_000,
  breakerDeaths: 10,
  breakerWindowMs: 30_000,
  breakerOpenMs: 30_000,
  heartbeatTimeoutMs: 10_000,
  maxRequests: 0,
  maxMemory: 0,
  reloadOnSighup: true,
  prefix: false,
};

const STATS = {
  requests: 0,
  inFlight: 0,
  failed: 0,
  p99Ms: 0,
  cpu: 0,
  utilization: 0,
  rss: 0,
  spansJournaled: 0,
  spansLost: 0,
};

/** How the processes of a simulated cluster behave; each number is milliseconds of simulated time. */
export interface Nature {
  /** From fork to ready; undefined: never. */
  boot?: number;
  /** Dies while booting, after this long. */
  bootDeath?: number;
  /** From the stop message to the exit; undefined: deaf to it. */
  drain?: number;
  heartbeats?: boolean;
}

interface Process {
  slot: number;
  incarnation: number;
  nature: Nature;
  bornAt: number;
  stopped: boolean;
}

/** Forks no process and knows no real clock: the machine's decisions at full speed. */
export class SimulatedCluster {
  state: Cluster;
  now = 0;
  readonly log: (ClusterAction & { at: number })[] = [];
  readonly processes = new Map<string, Process>();
  nature: Nature = { boot: 100, drain: 50, heartbeats: true };
  /** Most processes of one slot at once. */
  mostPerSlot = 0;
  readonly #schedule: { at: number; run: () => void }[] = [];
  readonly #policy: SupervisePolicy;
  readonly #random: () => number;

  constructor(
    size: number,
    changes: Partial<SupervisePolicy> = {},
    random: () => number = () => 0.5,
    concurrentStarts = 64,
  ) {
    this.state = newCluster(size, concurrentStarts);
    this.#policy = { ...policy, ...changes };
    this.#random = random;
  }

  dispatch(event: ClusterEvent): void {
    const context = { policy: this.#policy, now: this.now, random: this.#random };
    const { state, actions } = stepCluster(this.state, event, context);
    this.state = state;
    for (const action of actions) {
      this.log.push({ ...action, at: this.now });
      this.#act(action);
    }
  }

  /** Lets `ms` of simulated time pass. */
  run(ms: number): void {
    const end = this.now + ms;
    for (let steps = 0; ; steps++) {
      assert.ok(steps < 100_000, 'the machine wakes itself without end');
      this.#schedule.sort((a, b) => a.at - b.at);
      const wakeAt = nextWake(this.state) ?? Number.POSITIVE_INFINITY;
      const nextAt = Math.min(wakeAt, this.#schedule[0]?.at ?? Number.POSITIVE_INFINITY);
      if (nextAt > end) break;
      this.now = Math.max(this.now, nextAt);
      if (this.#schedule[0] && this.#schedule[0].at <= this.now) this.#schedule.shift()!.run();
      else this.dispatch({ type: 'wake' });
    }
    this.now = end;
  }

  kill(slot: number): void {
    const current = this.state.slots[slot]?.current;
    if (current !== undefined) this.#exit(slot, current);
  }

  /** The serving process of a slot falls silent. */
  block(slot: number): void {
    const process = this.processes.get(`${slot}.${this.state.slots[slot]?.current}`);
    if (process) process.nature = { ...process.nature, heartbeats: false, drain: undefined };
  }

  tell(slot: number, incarnation: number, event: IncarnationEvent): void {
    this.dispatch({ type: 'process', slot, incarnation, event });
  }

  actions<Type extends ClusterAction['type']>(type: Type) {
    return this.log.filter((action) => action.type === type) as (Extract<ClusterAction, { type: Type }> & {
      at: number;
    })[];
  }

  get ready(): number {
    return this.state.slots.filter(({ phase }) => phase === 'ready').length;
  }

  #after(ms: number, run: () => void): void {
    this.#schedule.push({ at: this.now + ms, run });
  }

  #act(action: ClusterAction): void {
    if (action.type === 'fork') this.#fork(action.slot, action.incarnation);
    if (action.type === 'send-stop' || action.type === 'signal') {
      const process = this.processes.get(`${action.slot}.${action.incarnation}`);
      if (!process) return;
      if (action.type === 'signal' && action.signal === 'SIGKILL') {
        this.#after(1, () => this.#exit(action.slot, action.incarnation));
      } else if (process.nature.drain !== undefined && !process.stopped) {
        process.stopped = true;
        this.#after(process.nature.drain, () => this.#exit(action.slot, action.incarnation));
      }
    }
  }

  #fork(slot: number, incarnation: number): void {
    const process: Process = { slot, incarnation, nature: this.nature, bornAt: this.now, stopped: false };
    this.processes.set(`${slot}.${incarnation}`, process);
    const alive = [...this.processes.values()].filter((one) => one.slot === slot).length;
    this.mostPerSlot = Math.max(this.mostPerSlot, alive);
    const { boot, bootDeath } = process.nature;
    if (bootDeath !== undefined) this.#after(bootDeath, () => this.#exit(slot, incarnation));
    else if (boot !== undefined) {
      this.#after(boot, () => {
        if (!this.processes.has(`${slot}.${incarnation}`) || process.stopped) return;
        this.tell(slot, incarnation, { type: 'ready' });
        this.#beat(process);
      });
    }
  }

  #beat(process: Process): void {
    if (this.processes.get(`${process.slot}.${process.incarnation}`) !== process) return;
    if (process.nature.heartbeats) {
      this.tell(process.slot, process.incarnation, { type: 'heartbeat', stats: STATS, debugged: false });
    }
    this.#after(1000, () => this.#beat(process));
  }

  #exit(slot: number, incarnation: number): void {
    if (!this.processes.delete(`${slot}.${incarnation}`)) return;
    // Node tells of both, in this order.
    this.tell(slot, incarnation, { type: 'disconnect' });
    this.tell(slot, incarnation, { type: 'exit' });
  }
}
