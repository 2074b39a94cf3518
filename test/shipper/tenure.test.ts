/**
 * Programs that come and go, and shippers that do: a model of every order in which their steps may happen.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Leaving, tend } from '#src/shipper/tenure.js';

/**
 * A directory with its lock and journals, and the processes that use it; whose step comes next is the
 * schedule's to say.
 */
class World {
  readonly journals = new Map<string, { alive: boolean; shipped: boolean }>();
  locked = false;
  started = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #watching: (() => void)[] = [];
  #running = 0;

  /** One step of a process: waits until it is chosen. */
  step(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves once another process has made a step that this one may see. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#watching.push(resolve));
  }

  changed(): void {
    for (const resolve of this.#watching.splice(0)) resolve();
  }

  spawn(life: () => Promise<unknown>): void {
    this.#running++;
    void life().then(() => {
      this.#running--;
    });
  }

  /** Runs all processes to their end. @returns the number of choices there were at each step */
  async run(schedule: readonly number[]): Promise<number[]> {
    const choices: number[] = [];
    for (;;) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      if (this.#waiting.length === 0) break;
      const chosen = schedule[choices.length] ?? 0;
      choices.push(this.#waiting.length);
      this.#waiting.splice(chosen, 1)[0]!();
    }
    assert.equal(this.#running, 0, 'every process has ended');
    return choices;
  }
}

type Tend = typeof tend<string>;

/**
 * A program that ends at once: `start.ts` looks for a shipper after `openJournal` has made the files, and at
 * the exit.
 */
async function program(world: World, name: string, tendDirectory: Tend, looksAgain = true): Promise<void> {
  await world.step();
  world.journals.set(name, { alive: true, shipped: false });
  world.changed();
  await world.step();
  let hasStarted = false;
  const look = () => {
    if (world.locked || hasStarted) return;
    hasStarted = true;
    world.started++;
    world.spawn(() => shipper(world, tendDirectory));
  };
  look();
  if (looksAgain) {
    await world.step();
    look();
  }
  await world.step();
  world.journals.get(name)!.alive = false;
  world.changed();
}

/** @param end of the first tenure; what is 'told' comes at any time */
async function shipper(world: World, tendDirectory: Tend, end: Leaving = 'idle'): Promise<void> {
  let seen = new Set<string>();
  let live = 0;
  let next = end;
  await world.step();
  await tendDirectory({
    acquire() {
      if (world.locked) return undefined;
      world.locked = true;
      return 'lock';
    },
    async ship(): Promise<Leaving> {
      const leaving = next;
      next = 'idle';
      for (;;) {
        await world.step();
        seen = new Set(world.journals.keys());
        live = 0;
        for (const journal of world.journals.values()) {
          if (journal.alive) live++;
          else journal.shipped = true;
        }
        if (leaving === 'told' || live === 0) break;
        await world.change();
      }
      await world.step();
      world.locked = false;
      return leaving;
    },
    async isNeeded() {
      await world.step();
      return live > 0 || [...world.journals.keys()].some((name) => !seen.has(name));
    },
    makeWay: () => world.step(),
  });
}

/** Has the lock, and dies: no look, no word. */
async function killed(world: World): Promise<void> {
  world.locked = true;
  await world.step();
  world.locked = false;
}

/**
 * Every order of the steps of some programs, their shippers, and one that is there before.
 *
 * Programs look once, which must do where no shipper is killed.
 *
 * @returns how many there are, up to the first that leaves a journal behind
 */
async function everyOrder(
  programs: number,
  tendDirectory: Tend,
  before: (world: World) => Promise<void> = async () => {},
): Promise<{ isLost: boolean; orders: number }> {
  let orders = 0;
  let schedule: number[] = [];
  for (;;) {
    const world = new World();
    world.spawn(() => before(world));
    for (let i = 0; i < programs; i++) world.spawn(() => program(world, `program ${i}`, tendDirectory, false));
    const choices = await world.run(schedule);
    orders++;
    if ([...world.journals.values()].some(({ shipped }) => !shipped)) return { isLost: true, orders };
    const taken = choices.map((_, index) => schedule[index] ?? 0);
    let last = taken.length - 1;
    while (last >= 0 && taken[last]! + 1 >= choices[last]!) last--;
    if (last < 0) return { isLost: false, orders };
    schedule = [...taken.slice(0, last), taken[last]! + 1];
  }
}

const told = (tendDirectory: Tend) => (world: World) => shipper(world, tendDirectory, 'told');

test('two programs in a row, in every order of their steps and their shippers’: no journal stays behind', async () => {
  const { isLost, orders } = await everyOrder(2, tend);
  assert.equal(isLost, false);
  assert.ok(orders > 1000, `${orders} orders`);
});

test('a shipper that is told to leave at any time leaves no journal of another program behind', async () => {
  const { isLost, orders } = await everyOrder(1, tend, told(tend));
  assert.equal(isLost, false);
  assert.ok(orders > 100, `${orders} orders`);
});

test('the model finds the gap when a shipper does not look once more, whether it is idle or told', async () => {
  const once: Tend = async (directory) => {
    const lock = await directory.acquire();
    if (lock !== undefined) await directory.ship(lock);
    return lock !== undefined;
  };
  assert.ok((await everyOrder(2, once)).isLost);
  assert.ok((await everyOrder(1, tend, told(once))).isLost);
});

test('the shipper is killed: what a program that ends after that leaves is shipped', async () => {
  const world = (schedule: readonly number[]) => {
    const one = new World();
    one.spawn(() => killed(one));
    one.spawn(() => program(one, 'program', tend));
    return one.run(schedule).then(() => one);
  };
  // The program makes its files and finds the lock held; then the kill, its exit, its shipper.
  const { journals, started } = await world([1, 1, 0]);
  assert.equal(started, 1);
  assert.equal(journals.get('program')!.shipped, true);
});
