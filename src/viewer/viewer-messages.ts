/**
 * What the viewer process and the process that forked it tell each other, over the IPC channel of
 * `child_process.fork`. It is forked with its options as JSON in its first argument, and ends when the
 * channel closes or on SIGTERM.
 *
 * @module
 */
import { isArrayOf, isNumber, isObjectOf, isText, messageParser } from '../process/message-parser.js';
import type { ViewerAddresses } from './start.js';

/**
 * For its `execArgv`. With V8's own 16 MiB per half of the young generation, and what it lets through to the
 * old one, a viewer that is full and receives takes 300 MB; with 4 MiB, and a heap that
 * is collected before it has grown by more than a fifth, it is 230.
 */
export const VIEWER_EXEC_ARGV = ['--max-semi-space-size=4', '--heap-growing-percent=20'];

export type FromViewer = ({ type: 'listening' } & ViewerAddresses) | { type: 'failed'; message: string };

/** @returns undefined for what no viewer of ours sends */
export const parseFromViewer = messageParser<FromViewer, 'type'>('type', {
  listening: { url: isText, otlpGrpcUrl: isText, otlpHttpUrl: isText },
  failed: { message: isText },
});

/** A worker whose event loop does not turn. */
export interface BlockedWorker {
  pid: number;
  /** When the first heartbeat was due that did not come. Milliseconds since 1970. */
  sinceMs: number;
  /** What it is found doing, in a few words: `runs JavaScript`. */
  state: string;
}

/** All that are blocked now: who is no longer among them goes on, or has ended. */
export type ToViewer = { type: 'blocked'; workers: BlockedWorker[] };

/** @returns undefined for what no coordinator of ours sends */
export const parseToViewer = messageParser<ToViewer, 'type'>('type', {
  blocked: { workers: isArrayOf(isObjectOf<BlockedWorker>({ pid: isNumber, sinceMs: isNumber, state: isText })) },
});
