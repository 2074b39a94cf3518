/**
 * What a soak runs: a service of plain processes that send over gRPC, and one of a cluster that sends over
 * HTTP.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { shipperPid } from '#src/shipper/lock.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import type { Account, Writer } from './account.js';

export interface Place {
  t: Pick<TestContext, 'after'>;
  /** Of all journals. */
  dir: string;
  /** Of what writers say of their progress. */
  progress: string;
  account: Account;
}

export abstract class Service {
  abstract readonly name: string;
  protected readonly programs: Program[] = [];
  protected token = 'token-0';
  protected readonly place: Place;
  protected readonly url: string;

  /** @param url where it sends to, without a path */
  constructor(place: Place, url: string) {
    this.place = place;
    this.url = url;
  }

  get journal(): string {
    return join(this.place.dir, this.name);
  }

  /** Its writers that run. */
  writers(): Writer[] {
    return this.place.account.writers().filter(({ service, lives }) => service === this.name && lives);
  }

  shipper(): number | undefined {
    return shipperPid(this.journal);
  }

  /** All that its processes have said. */
  get said(): string {
    return this.programs.map(({ stderr }) => stderr).join('');
  }

  abstract start(): void;
  abstract killWriter(): void;
  /** From now on this is sent along. */
  abstract rotate(token: string): void;
  /** As an operator ends it. */
  abstract end(withinMs: number): Promise<void>;

  protected run(program: string, env: Record<string, string>, ipc: boolean): Program {
    const { t, dir, progress } = this.place;
    const started = runProgram(t, fixture(program), {
      ipc,
      env: {
        NODE_ENV: 'production',
        OTEL_SERVICE_NAME: this.name,
        OTEL_EXPORTER_OTLP_ENDPOINT: this.url,
        FORKTRACE_JOURNAL_DIR: dir,
        SOAK_PROGRESS: progress,
        ...env,
      },
    });
    this.programs.push(started);
    return started;
  }
}

export const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(Math.random() * from.length)];

export class PlainService extends Service {
  readonly name = 'soak-plain';

  start(): void {
    for (let n = 0; n < 2; n++) this.#startWriter();
  }

  #startWriter(): void {
    this.run('soak-writer', { OTEL_EXPORTER_OTLP_HEADERS: `authorization=${this.token}` }, true);
  }

  killWriter(): void {
    const writer = pick(this.writers());
    if (writer) this.place.account.kill(writer);
    this.#startWriter();
  }

  /** The word of a process that starts is the newest one. */
  rotate(token: string): void {
    this.token = token;
    this.killWriter();
  }

  async end(withinMs: number): Promise<void> {
    const living = this.programs.filter(({ exit }) => !exit);
    for (const program of living) program.send({ end: true });
    for (const program of living) await program.waitForExit(withinMs);
  }
}

export class ClusterService extends Service {
  readonly name = 'soak-cluster';

  get #headers(): string {
    return join(this.place.progress, '..', 'headers');
  }

  get coordinator(): Program {
    return this.programs.at(-1)!;
  }

  start(): void {
    this.rotate(this.token);
    const env = { SOAK_HEADERS: this.#headers, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' };
    this.run('soak-cluster', env, false);
  }

  killWriter(): void {
    const writer = pick(this.writers());
    if (writer) this.place.account.kill(writer);
  }

  /**
   * The coordinator of these, and with `all` each of them, too; the next one starts at once, as under a
   * service manager.
   */
  killCoordinator(all: boolean): void {
    const writers = this.writers();
    this.coordinator.kill('SIGKILL');
    if (all) for (const writer of writers) this.place.account.kill(writer);
    this.start();
  }

  rotate(token: string): void {
    this.token = token;
    writeFileSync(this.#headers, `authorization: ${token}\n`);
  }

  async end(withinMs: number): Promise<void> {
    this.coordinator.kill('SIGTERM');
    await this.coordinator.waitForExit(withinMs);
  }
}
