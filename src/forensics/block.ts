/**
 * Describes a blocked event loop, for the shipper, the coordinator's spans and the status.
 *
 * @module
 */
import type { Attributes } from '@opentelemetry/api';
import { type ActiveSpan, isActiveSpan } from '../process/active-span.js';
import { type Check, isObjectOf, isText, orNothing } from '../process/message-parser.js';
import {
  BLOCK_STATE,
  CODE_COLUMN_NUMBER,
  CODE_FILE_PATH,
  CODE_FUNCTION_NAME,
  CODE_LINE_NUMBER,
  CODE_STACKTRACE,
} from '../wire/conventions.js';
import type { Peek } from './peek.js';
import type { ProcessState } from './process-state.js';
import { innermostFrame } from './stack-frame.js';

/** What a process was doing when its event loop was blocked, or when it ended itself. */
export interface Block {
  /** In a few words: `runs JavaScript`, `waits for a child process: sleep 3`, `called process.exit`. */
  state: string;
  /** The innermost frame first; undefined when JavaScript did not answer. */
  stack: string | undefined;
  active: ActiveSpan | undefined;
}

export const isBlock: Check = isObjectOf<Block>({
  state: isText,
  stack: orNothing(isText),
  active: orNothing(isActiveSpan),
});

/** @param found undefined when JavaScript did not answer, so that only the kernel's view is known */
export function blockOf(
  found: Extract<Peek, { found: 'stack' }> | undefined,
  process: ProcessState | undefined,
): Block {
  if (found === undefined) return { state: describeState(process), stack: undefined, active: undefined };
  const { stack, active } = found;
  if (stack !== '') return { state: 'runs JavaScript', stack, active };
  return { state: 'waits for events: its event loop turns', stack: undefined, active };
}

/** Describes a process that does not answer, as the kernel sees it. */
function describeState(process: ProcessState | undefined): string {
  if (process === undefined) return 'not known';
  const { state, waitChannel, children } = process;
  switch (state) {
    case 'T':
    case 't':
      return 'is stopped by a signal';
    case 'Z':
    case 'X':
      return 'has ended';
    case 'R':
      return 'runs native code or collects garbage';
    case 'D':
      return `waits for a device${waitChannel === undefined ? '' : ` (${waitChannel})`}`;
    default: {
      const [child] = children;
      if (child !== undefined) return `waits, and has a child process: ${child.command || child.pid}`;
      return `waits in a system call${waitChannel === undefined ? '' : ` (${waitChannel})`}`;
    }
  }
}

/** The attributes of a block, named by the semantic conventions for source code. */
export function blockAttributes({ state, stack }: Block): Attributes {
  const attributes: Attributes = { [BLOCK_STATE]: state };
  if (stack === undefined) return attributes;
  attributes[CODE_STACKTRACE] = stack;
  const frame = innermostFrame(stack);
  if (frame === undefined) return attributes;
  if (frame.functionName !== undefined) attributes[CODE_FUNCTION_NAME] = frame.functionName;
  attributes[CODE_FILE_PATH] = frame.filePath;
  attributes[CODE_LINE_NUMBER] = frame.line;
  attributes[CODE_COLUMN_NUMBER] = frame.column;
  return attributes;
}
