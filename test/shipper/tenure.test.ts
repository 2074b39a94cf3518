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

/** A program that ends at once: `start.ts` looks for a shipper after `openJournal` has made the files. */
async function program(world: World, name: string, tendDirectory: Tend): Promise<void> {
  await world.step();
  world.journals.set(name, { alive: true, shipped: false });
  world.changed();
  await world.step();
  const isHeld = world.locked;
  if (!isHeld) {
    world.started++;
    world.spawn(() => shipper(world, tendDirectory));
  }
  await world.step();
  world.journals.get(name)!.alive = false;
  world.changed();
}

async function shipper(world: World, tendDirectory: Tend): Promise<void> {
  let seen = new Set<string>();
  await world.step();
  await tendDirectory({
    acquire() {
      if (world.locked) return undefined;
      world.locked = true;
      return 'lock';
    },
    async ship(): Promise<Leaving> {
      for (;;) {
        await world.step();
        seen = new Set(world.journals.keys());
        for (const journal of world.journals.values()) if (!journal.alive) journal.shipped = true;
        if ([...world.journals.values()].every(({ alive }) => !alive)) break;
        await world.change();
      }
      await world.step();
      world.locked = false;
      return 'idle';
    },
    async hasNewFiles() {
      await world.step();
      return [...world.journals.keys()].some((name) => !seen.has(name));
    },
    makeWay: () => world.step(),
  });
}

/**
 * Every order of the steps of some programs and their shippers.
 *
 * @returns the orders that leave a journal behind, and how many there are
 */
async function everyOrder(
  programs: number,
  tendDirectory: Tend,
): Promise<{ lost: number; orders: number; most: number }> {
  let lost = 0;
  let orders = 0;
  let most = 0;
  let schedule: number[] = [];
  for (;;) {
    const world = new World();
    for (let i = 0; i < programs; i++) world.spawn(() => program(world, `program ${i}`, tendDirectory));
    const choices = await world.run(schedule);
    orders++;
    most = Math.max(most, world.started);
    if ([...world.journals.values()].some(({ shipped }) => !shipped)) lost++;
    const taken = choices.map((_, index) => schedule[index] ?? 0);
    let last = taken.length - 1;
    while (last >= 0 && taken[last]! + 1 >= choices[last]!) last--;
    if (last < 0) return { lost, orders, most };
    schedule = [...taken.slice(0, last), taken[last]! + 1];
  }
}

test('two programs in a row, in every order of their steps and their shippers’: no journal stays behind', async () => {
  const { lost, orders } = await everyOrder(2, tend);
  assert.equal(lost, 0);
  assert.ok(orders > 1000, `${orders} orders`);
});

test('the model finds the gap when a shipper does not look once more', async () => {
  const once: Tend = async (directory) => {
    const lock = await directory.acquire();
    if (lock !== undefined) await directory.ship(lock);
    return lock !== undefined;
  };
  assert.ok((await everyOrder(2, once)).lost > 0);
});
