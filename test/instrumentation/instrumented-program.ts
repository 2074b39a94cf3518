import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedLog } from '../endpoint/received-log.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { installedIn } from '../process/frameworks.js';
import { type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

/**
 * Instrumentations of OpenTelemetry's 2.x line, with version 1.9 of its API, or of its 3.x line, with 1.10.
 */
export type Line = 'two' | 'three';

export interface Project {
  dir: string;
  /** URL of forktrace as it is installed there: with the API, and so on, of that project. */
  forktrace: string;
  /** Writes a program; it is removed with the test. */
  write(name: string, source: string): string;
}

let programs = 0;

/** An app's project in which forktrace and instrumentations are installed side by side. */
export async function instrumentedProject(t: TestContext, line: Line): Promise<Project> {
  await installedIn(`test/instrumentations/${line}`);
  const dir = fileURLToPath(new URL(`../../test/instrumentations/${line}/`, import.meta.url));
  const id = `${process.pid}-${programs++}`;
  const written = join(dir, `program-${id}`);
  // Where programs in that folder find it by its name; what it needs itself it finds in the project, as the
  // programs do.
  const installed = join(written, 'node_modules/forktrace');
  t.after(() => rmSync(written, { recursive: true, force: true }));
  cpSync(fileURLToPath(new URL('../../dist', import.meta.url)), join(installed, 'dist'), { recursive: true });
  cpSync(fileURLToPath(new URL('../../package.json', import.meta.url)), join(installed, 'package.json'));
  return {
    dir,
    forktrace: pathToFileURL(`${installed}/`).href,
    write(name, source) {
      const path = join(written, name);
      writeFileSync(path, source);
      return path;
    },
  };
}

export interface Run {
  program: Program;
  spans(count: number): Promise<readonly ReceivedSpan[]>;
  logs(count: number): Promise<readonly ReceivedLog[]>;
}

/** A program of the project under `forktrace/register`, or under other options, with what it exports. */
export async function runInstrumented(
  t: TestContext,
  project: Project,
  path: string,
  options: { env?: Record<string, string>; node?: string; execArgv?: string[] } = {},
): Promise<Run> {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, path, {
    node: options.node,
    cwd: project.dir,
    execArgv: options.execArgv ?? ['--import', `${project.forktrace}dist/register.js`],
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'instrumented',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      FORKTRACE_INSTRUMENTATIONS: 'auto',
      ...options.env,
    },
  });
  return {
    program,
    spans: (count) => endpoint.waitForSpans(count),
    logs: (count) => endpoint.waitForLogs(count),
  };
}
