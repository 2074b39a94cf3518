/**
 * What the viewer process tells the process that forked it, over the IPC channel of `child_process.fork`.
 * It is forked with its options as JSON in its first argument, and ends when the channel closes or on
 * SIGTERM.
 *
 * @module
 */
import { isText, messageParser } from '../process/message-parser.js';
import type { ViewerAddresses } from './start.js';

export type FromViewer = ({ type: 'listening' } & ViewerAddresses) | { type: 'failed'; message: string };

/** @returns undefined for what no viewer of ours sends */
export const parseFromViewer = messageParser<FromViewer, 'type'>('type', {
  listening: { url: isText, otlpGrpcUrl: isText, otlpHttpUrl: isText },
  failed: { message: isText },
});
