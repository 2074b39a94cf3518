/**
 * `forktrace stack`: what processes run now, and for which request.
 *
 * @module
 */
import { type Block, blockOf } from '../forensics/block.js';
import { evaluate } from '../forensics/inspector-client.js';
import { checkedSnapshot } from '../forensics/peek.js';
import { processState } from '../forensics/process-state.js';
import { PREPARED_SNAPSHOT, SNAPSHOT_EXPRESSION, SNAPSHOT_ONLY } from '../forensics/snapshot.js';
import { printable } from '../printable.js';
import { print } from './arguments.js';
import { colors } from './colors.js';
import { type LookedInto, lookedInto } from './look-into.js';

const ANSWERS_WITHIN_MS = 5000;

interface Seen extends Block {
  slot: number | undefined;
  pid: number;
  /** Why JavaScript did not answer. */
  failure?: string;
}

export async function printStacks(target: number | undefined, options: { pid?: number; json?: boolean }) {
  const seen = await stacks(target, options);
  print(seen, textOf(seen), options);
  if (seen.every(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

/** @throws ForktraceError as {@link lookedInto} does */
export async function stacksText(target: number | undefined): Promise<string> {
  return textOf(await stacks(target, {}));
}

async function stacks(target: number | undefined, options: { pid?: number }): Promise<Seen[]> {
  const seen: Seen[] = [];
  for (const each of await lookedInto(target, options)) seen.push(await look(each));
  return seen;
}

const textOf = (seen: readonly Seen[]) => seen.map(described).join('\n\n');

async function look({ slot, pid, open }: LookedInto): Promise<Seen> {
  const state = processState(pid);
  try {
    const { url, wasOpen } = await open();
    const unprepared = wasOpen ? SNAPSHOT_ONLY : SNAPSHOT_EXPRESSION;
    const expression = slot === undefined ? unprepared : PREPARED_SNAPSHOT;
    const taken = checkedSnapshot(await evaluate(url, expression, AbortSignal.timeout(ANSWERS_WITHIN_MS)));
    return { slot, pid, ...blockOf({ found: 'stack', ...taken, tookMs: 0 }, state) };
  } catch (error) {
    return { slot, pid, ...blockOf(undefined, state), failure: (error as Error).message };
  }
}

function described({ slot, pid, state, stack, active, failure }: Seen): string {
  const who = colors.bold(slot === undefined ? `pid ${pid}` : `slot ${slot}  pid ${pid}`);
  const request = active === undefined ? '' : ` for ${printable(active.name ?? 'a span')} (trace ${active.traceId})`;
  const lines = [`${who}  ${printable(state)}${request}`];
  if (stack) lines.push(...stack.split('\n').map((line) => printable(line)));
  if (failure !== undefined) lines.push(`    ${printable(failure)}`);
  return lines.join('\n');
}
