/**
 * A pseudo-terminal around a command, and the screen that it shows: bsdutils' script, which every Debian has,
 * and xterm's own interpreter of what is written.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import xterm from '@xterm/headless';

export interface TerminalOptions {
  columns?: number;
  rows?: number;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export class PseudoTerminal {
  /** All that was written. */
  output = '';
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcess;
  readonly #screen;

  /** @param command for the shell */
  constructor(t: Pick<TestContext, 'after'>, command: string, options: TerminalOptions = {}) {
    const { columns = 80, rows = 24, env, cwd } = options;
    this.#screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
    const child = spawn('script', ['-qefc', `stty cols ${columns} rows ${rows}; ${command}`, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm', ...env },
      cwd,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.#screen.write(text);
    });
    child.stdin.on('error', () => {});
    this.exited = new Promise((resolve) => child.once('exit', resolve));
    t.after(() => {
      child.kill('SIGKILL');
      this.#screen.dispose();
    });
  }

  type(keys: string): void {
    this.#child.stdin!.write(keys);
  }

  /** Closes the window: what runs in it gets SIGHUP. */
  close(): void {
    this.#child.kill('SIGKILL');
  }

  get isAlternate(): boolean {
    return this.#screen.buffer.active.type === 'alternate';
  }

  /** The lines that somebody sees. */
  lines(): string[] {
    const { active } = this.#screen.buffer;
    return Array.from({ length: this.#screen.rows }, (_, row) =>
      active.getLine(active.viewportY + row)!.translateToString(true),
    );
  }

  /** The colour of the text at a place of the screen: a number of the palette, 1 is red; -1 is none. */
  colorOf(text: string): number {
    const row = this.lines().findIndex((line) => line.includes(text));
    const column = row < 0 ? -1 : this.lines()[row]!.indexOf(text);
    const { active } = this.#screen.buffer;
    const cell = row < 0 ? undefined : active.getLine(active.viewportY + row)!.getCell(column);
    return cell?.isFgPalette() ? cell.getFgColor() : -1;
  }
}
