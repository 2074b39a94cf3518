import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlClient } from '../coordinator/control-client.js';
import { findCoordinator } from './find-coordinator.js';
import { StatusScreen } from './status-screen.js';
import { statusText } from './status-view.js';

/** A worker counts as blocked after 625 ms, and is shown as such within a second. */
const REFRESH_MS = 300;

/** One key: an escape sequence (ECMA-48, control sequences), or a character. Several may come at once. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what keys send
const KEY = /\x1b\[[\d;]*[A-Za-z~]|[\s\S]/g;

/** Where there is no terminal to ask. */
const DEFAULT_WIDTH = 200;

export async function status(options: { pid?: number; json?: boolean; once?: boolean }): Promise<void> {
  const coordinator = findCoordinator(options);
  try {
    const isLive = process.stdout.isTTY === true && !options.once && !options.json;
    if (isLive) return await watch(coordinator);
    const stats = await coordinator.ask('status');
    const width = process.stdout.isTTY ? process.stdout.columns : DEFAULT_WIDTH;
    process.stdout.write(`${options.json ? JSON.stringify(stats) : statusText(stats, width)}\n`);
  } finally {
    coordinator.close();
  }
}

/** Until q, Ctrl-C, SIGTERM, or the end of the cluster. */
async function watch(coordinator: ControlClient): Promise<void> {
  const screen = new StatusScreen(process.stdout);
  const ended = new AbortController();
  const end = () => ended.abort();
  const onKeys = (text: string) => {
    for (const key of text.match(KEY) ?? []) if (!screen.key(key)) end();
  };
  // Without raw mode keys come by the line, and Ctrl-C is a signal: that is enough where stdin is no
  // terminal.
  process.stdin.setRawMode?.(true);
  process.stdin.setEncoding('utf8').on('data', onKeys);
  process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', end);
  try {
    while (!ended.signal.aborted) {
      screen.show(await coordinator.ask('status'));
      await sleep(REFRESH_MS, undefined, { signal: ended.signal }).catch(() => {});
    }
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end).off('SIGHUP', end);
    process.stdin.off('data', onKeys).pause();
    process.stdin.setRawMode?.(false);
    screen.leave();
  }
}
