/**
 * Those who wait for the cluster: for its boot, a reload, a scaling, or its end.
 *
 * @module
 */
import { ForktraceError } from '../errors.js';

interface Deferred<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

export class ClusterWaits {
  #booted: Deferred<void> | undefined;
  /** Those who wait for the reload under way, and for the one after it. */
  #reloads: Deferred<readonly number[]>[] = [];
  #nextReloads: Deferred<readonly number[]>[] = [];
  #scalings: Deferred<void>[] = [];
  #stopped: (() => void)[] = [];

  forBoot(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#booted = { resolve, reject };
    });
  }

  /** Resolves with the slots that the next reload to start has replaced. */
  forReload(): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#nextReloads.push({ resolve, reject });
    });
  }

  forScaling(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#scalings.push({ resolve, reject });
    });
  }

  forEnd(): Promise<void> {
    return new Promise((resolve) => {
      this.#stopped.push(resolve);
    });
  }

  booted(): void {
    this.#booted?.resolve();
    this.#booted = undefined;
  }

  reloadStarted(): void {
    this.#reloads = this.#nextReloads;
    this.#nextReloads = [];
  }

  reloadDone(slots: readonly number[]): void {
    for (const { resolve } of this.#reloads.splice(0)) resolve(slots);
  }

  reloadFailed(error: Error): void {
    for (const { reject } of this.#reloads.splice(0)) reject(error);
  }

  scaled(): void {
    for (const { resolve } of this.#scalings.splice(0)) resolve();
  }

  scalingFailed(error: Error): void {
    for (const { reject } of this.#scalings.splice(0)) reject(error);
  }

  /** @param bootError why the boot has failed, if it has */
  stopped(bootError: Error | undefined): void {
    const stopping = new ForktraceError('FORKTRACE_STOPPING', []);
    for (const { reject } of [...this.#nextReloads.splice(0), ...this.#scalings.splice(0)]) reject(stopping);
    this.#booted?.reject(bootError ?? stopping);
    this.#booted = undefined;
    for (const resolve of this.#stopped.splice(0)) resolve();
  }
}
