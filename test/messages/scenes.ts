import type { Scene } from './scene.js';
import { scenes as ofClusters } from './scenes/cluster.js';
import { scenes as ofCommands } from './scenes/commands.js';
import { scenes as ofDelivery } from './scenes/delivery.js';
import { scenes as ofTheJournal } from './scenes/journal.js';
import { scenes as ofStarts } from './scenes/start.js';
import { scenes as ofTracing } from './scenes/tracing.js';

export const scenes: readonly Scene[] = [
  ...ofStarts,
  ...ofClusters,
  ...ofCommands,
  ...ofTheJournal,
  ...ofDelivery,
  ...ofTracing,
];
