import type { Command } from 'commander';
import { inspect } from './commands/inspect.js';
import { kill } from './commands/kill.js';
import { logs } from './commands/logs.js';
import { ls } from './commands/ls.js';
import { mcp } from './commands/mcp.js';
import { profile } from './commands/profile.js';
import { reload } from './commands/reload.js';
import { run } from './commands/run.js';
import { scale } from './commands/scale.js';
import { ship } from './commands/ship.js';
import { stack } from './commands/stack.js';
import { status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { viewer } from './commands/viewer.js';

/** In the order of `forktrace --help`. A command is one file, which loads what it needs when it is called. */
export const commands: readonly ((program: Command) => void)[] = [
  run,
  ls,
  status,
  reload,
  scale,
  kill,
  stop,
  stack,
  profile,
  ship,
  inspect,
  logs,
  viewer,
  mcp,
];
