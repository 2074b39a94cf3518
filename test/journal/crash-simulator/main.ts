// Simulates programs that are stopped: `npm run crash-simulator -- [--seed N | --seeds N] [--from N]`.
// One seed is stopped after each of its stores; of many, some stores each.
import { parseArgs } from 'node:util';
import { installSimulatedDisk } from './simulated-disk.js';
import { Simulation, Violation } from './simulation.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '3000' },
    from: { type: 'string', default: '1' },
  },
});
const isOne = values.seed !== undefined;
const first = Number(values.seed ?? values.from);
const count = isOne ? 1 : Number(values.seeds);

installSimulatedDisk();
let stops = 0;
let stores = 0;
for (let seed = first; seed < first + count; seed++) {
  // Some of many are stopped after each store, too.
  const simulation = new Simulation(seed, isOne || seed % 500 === 0 ? 1 : 0.01);
  try {
    simulation.run();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    console.error(`${error.message}\nAgain: npm run crash-simulator -- --seed ${seed}`);
    process.exit(1);
  }
  stops += simulation.stops;
  stores += simulation.stores;
}
console.log(JSON.stringify({ seeds: count, stores, stops }));
process.exit(0);
