/**
 * Runs the coordinator's hooks in the order of events. Each has a timeout, and an error in one does not
 * affect the others. Only `onStarting`, `preFork`, `childExit` and `onExit` are waited for; docs/hooks.md
 * says what waits.
 *
 * @module
 */
import type { ResolvedConfig } from '../config/resolved.js';
import type { Hooks } from '../config/types.js';
import { runHook } from '../process/hook.js';

export type CoordinatorHookName =
  | 'onStarting'
  | 'preFork'
  | 'onWorkerStart'
  | 'onWorkerReady'
  | 'onReady'
  | 'onReload'
  | 'onScale'
  | 'childExit'
  | 'onExit';

type Args<Name extends CoordinatorHookName> = Parameters<NonNullable<Hooks[Name]>>;
type Result<Name extends CoordinatorHookName> = Awaited<ReturnType<NonNullable<Hooks[Name]>>>;

export class CoordinatorHooks {
  readonly #hooks: ResolvedConfig['hooks'];
  readonly #running = new Set<Promise<unknown>>();

  constructor(hooks: ResolvedConfig['hooks']) {
    this.#hooks = hooks;
  }

  /** Runs a hook and waits for it, at most for its timeout. Never rejects. */
  run<Name extends CoordinatorHookName>(name: Name, ...args: Args<Name>): Promise<Result<Name> | undefined> {
    const hook = this.#hooks[name] as ((...args: Args<Name>) => Result<Name>) | undefined;
    return runHook(name, hook, this.#hooks.timeoutMs, ...args) as Promise<Result<Name> | undefined>;
  }

  /** Starts a hook that nothing waits for, except `settled`. */
  notify<Name extends CoordinatorHookName>(name: Name, ...args: Args<Name>): void {
    const running = this.run(name, ...args).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when every hook has finished or timed out. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}
