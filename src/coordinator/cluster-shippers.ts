/**
 * The shippers of a cluster: one for each user that the coordinator has been, because a hook may change the
 * user, and the new one may not be able to enter the journal's directory of the one before.
 *
 * @module
 */
import { basename, dirname, join } from 'node:path';
import type { ResolvedConfig, ResolvedExport } from '../config/resolved.js';
import { privateParent } from '../process/private-directory.js';
import { runDirectory } from '../process/run-path.js';
import { type KnownDeath, NOTHING_RECOVERED, type Recovered, type ShipperStats } from '../shipper/shipper-messages.js';
import type { ShipperKeeper } from '../shipper/start.js';
import { warn } from '../warn.js';

export function shipsJournals({ disabled, pipeline, ship, tracerProvider }: ResolvedConfig): boolean {
  return pipeline === 'journal' && ship === 'process' && !disabled && tracerProvider === undefined;
}

export class ClusterShippers {
  readonly #config: ResolvedConfig;
  /** Whether the journal's directory can be used. If not, there is nothing to ship. */
  readonly #hasJournal: boolean;
  /** The newest comes first. */
  readonly #shippers: ShipperKeeper[] = [];
  /** The journal directory of the current user, where workers write. */
  #journalDir: string;
  #uid = process.geteuid?.();
  /** Where spans go that are for the viewer. */
  #viewerUrl: string | undefined;

  constructor(config: ResolvedConfig, hasJournal: boolean) {
    this.#config = config;
    this.#journalDir = config.journal.dir;
    this.#hasJournal = hasJournal;
  }

  /** @param viewerUrl of its OTLP endpoint; undefined without a viewer */
  async start(viewerUrl: string | undefined): Promise<void> {
    this.#viewerUrl = viewerUrl;
    this.#followUser();
    if (this.#hasJournal && shipsJournals(this.#config)) await this.#startOne();
  }

  /** Where journals are: those of the current user, and those from before it. */
  get journalDirs(): ReadonlySet<string> {
    return new Set([this.#journalDir, this.#config.journal.dir]);
  }

  /** Variables for each worker that is forked: where its journal goes. */
  environment(): NodeJS.ProcessEnv {
    this.#followUser();
    return {
      ...(!this.#hasJournal && { FORKTRACE_PIPELINE: 'batch' }),
      ...(this.#journalDir !== this.#config.journal.dir && { FORKTRACE_JOURNAL_DIR: dirname(this.#journalDir) }),
      // Workers cannot guess a directory with a random name.
      ...(privateParent().announce && {
        FORKTRACE_JOURNAL_DIR: dirname(this.#journalDir),
        FORKTRACE_RUN_DIR: runDirectory(),
      }),
    };
  }

  get stats(): ShipperStats | undefined {
    return this.#shippers[0]?.stats;
  }

  /** What is found in the journal of a worker that has ended. */
  async writerExited(pid: number, exit: KnownDeath): Promise<Recovered> {
    const found = await Promise.all(this.#shippers.map((shipper) => shipper.writerExited(pid, exit)));
    // A shipper that holds no journal of the dead worker finds no cause.
    return found.find(({ cause }) => cause !== undefined) ?? NOTHING_RECOVERED;
  }

  /** Ships what there is, for so many milliseconds at most. */
  async stop(ms: number): Promise<void> {
    await Promise.all(this.#shippers.map((shipper) => shipper.stop(ms)));
  }

  #followUser(): void {
    const uid = process.geteuid?.();
    if (uid === this.#uid) return;
    this.#uid = uid;
    if (!this.#hasJournal || !shipsJournals(this.#config)) return;
    const before = this.#journalDir;
    this.#journalDir = join(privateParent().dir, basename(before));
    warn(
      'FORKTRACE_USER_CHANGED',
      `The coordinator now runs as user ${uid}, who cannot create files in ${before}. Workers that it starts keep their journals in ${this.#journalDir}, with a shipper of that user.`,
    );
    if (this.#shippers.length > 0) void this.#startOne();
  }

  async #startOne(): Promise<void> {
    const { ensureShipper, shipperConfigOf } = await import('../shipper/start.js');
    const config = { ...shipperConfigOf(this.#config), dir: this.#journalDir };
    this.#shippers.unshift(
      ensureShipper({ ...config, export: atViewer(config.export, this.#viewerUrl) }, { attached: true }),
    );
  }
}

/** The export target with the URL of the viewer that has just started, if spans go to the viewer. */
function atViewer(target: ResolvedExport, url: string | undefined): ResolvedExport {
  return {
    ...target,
    url: target.to === 'viewer' ? url : target.url,
    ...(target.logs && { logs: atViewer(target.logs, url) }),
  };
}
