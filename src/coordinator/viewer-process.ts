/**
 * Runs the viewer as a child of the coordinator, in development only. When it fails, a warning says so, and
 * the cluster goes on.
 *
 * @module
 */

import { type ChildProcess, fork } from 'node:child_process';
import type { ResolvedConfig } from '../config/resolved.js';
import { ownFile } from '../own-files.js';
import { companionEnvironment } from '../process/companion-environment.js';
import {
  type BlockedWorker,
  type FromViewer,
  parseFromViewer,
  type ToViewer,
  VIEWER_EXEC_ARGV,
} from '../viewer/viewer-messages.js';
import { warn } from '../warn.js';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 1000;

export class ViewerProcess {
  /** URL of the page. */
  readonly url: string;
  /** URL to which workers and shipper send spans. */
  readonly otlpUrl: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stopping = false;

  /**
   * Starts the viewer. Resolves when it listens, or with undefined when it does not; a warning then says why.
   */
  static async start(
    viewer: NonNullable<ResolvedConfig['viewer']> & { journals: string },
  ): Promise<ViewerProcess | undefined> {
    let child: ChildProcess | undefined;
    let answer: FromViewer;
    try {
      child = fork(ownFile('viewer/main.js'), [JSON.stringify(viewer)], {
        execArgv: VIEWER_EXEC_ARGV,
        env: companionEnvironment(process.env, /^FORKTRACE_VIEWER_/),
      });
      answer = await firstAnswer(child);
      if (answer.type === 'listening') return new ViewerProcess(child, answer);
    } catch (error) {
      // No memory is left for another process.
      answer = { type: 'failed', message: (error as Error).message };
    }
    child?.kill('SIGKILL');
    warn('FORKTRACE_VIEWER_FAILED', `The viewer did not start: ${answer.message}`);
    return undefined;
  }

  private constructor(child: ChildProcess, { url, otlpGrpcUrl }: Extract<FromViewer, { type: 'listening' }>) {
    this.#child = child;
    this.url = url;
    this.otlpUrl = otlpGrpcUrl;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve();
        if (!this.#stopping) warn('FORKTRACE_VIEWER_FAILED', `The viewer has ended (${signal ?? `code ${code}`}).`);
      });
    });
    // The viewer lives as long as the cluster, and does not keep the coordinator alive.
    child.unref();
    child.channel?.unref?.();
  }

  /** Sends all workers whose event loop is blocked; the page shows them until the list changes. */
  blocked(workers: BlockedWorker[]): void {
    const message: ToViewer = { type: 'blocked', workers };
    // The end of the viewer is reported when it ends.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#child.connected) this.#child.disconnect();
    this.#child.ref();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.#exited;
    clearTimeout(timer);
  }
}

function firstAnswer(child: ChildProcess): Promise<FromViewer> {
  return new Promise((resolve) => {
    const failed = (message: string) => resolve({ type: 'failed', message });
    const timer = setTimeout(failed, START_TIMEOUT_MS, `it did not listen within ${START_TIMEOUT_MS} ms`);
    child.on('message', (message) => {
      const answer = parseFromViewer(message);
      if (!answer) return;
      clearTimeout(timer);
      resolve(answer);
    });
    child.once('error', (error) => failed(error.message));
    child.once('exit', (code, signal) => failed(signal ? `it died of ${signal}` : `it exited with code ${code}`));
  });
}
