/**
 * Finds the line of a stack that says where a process was: the innermost frame in a file.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';

/** One call of a JavaScript stack. */
export interface StackFrame {
  /** Undefined for code outside of any function. */
  functionName: string | undefined;
  filePath: string;
  line: number;
  column: number;
}

/** `at name (file:line:column)` and `at file:line:column`, the formats of V8 and of Node's source maps. */
const FRAME = /^ {4}at (?:(?:async )?(.*?) \((.+):(\d+):(\d+)\)|(?:async )?(.+):(\d+):(\d+))$/;

/** @returns undefined when all frames are built-in or evaluated code */
export function innermostFrame(stack: string): StackFrame | undefined {
  for (const line of stack.split('\n')) {
    const found = FRAME.exec(line);
    if (found === null) continue;
    const [, functionName, inNamed, lineOfNamed, columnOfNamed, alone, lineAlone, columnAlone] = found;
    const file = inNamed ?? alone!;
    if (file.startsWith('node:') || file === '<anonymous>' || file.includes('eval at ')) continue;
    return {
      functionName,
      filePath: pathOf(file),
      line: Number(lineOfNamed ?? lineAlone),
      column: Number(columnOfNamed ?? columnAlone),
    };
  }
  return undefined;
}

function pathOf(file: string): string {
  try {
    return file.startsWith('file://') ? fileURLToPath(file) : file;
  } catch {
    return file;
  }
}
