// Coverage of src/ by everything that the tests start: test files, clusters, workers, shippers, command-line
// tools.
//
// Each process writes what V8 has counted when it exits (NODE_V8_COVERAGE), a few megabytes, of which we need
// the counts of our own modules. Thousands of processes would fill the disk, so their files are merged and
// removed while the tests run. A process that is killed writes nothing, unless its test is over: then
// test/process/write-coverage.ts has it write before.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeProcessCovs } from '@bcoe/v8-coverage';
import { CoverageReport } from 'monocart-coverage-reports';

const root = new URL('..', import.meta.url);
const compiled = new URL('dist/', root).href;
const bundledSdk = new URL('dist/sdk/', root).href;

/** Percent of lines and of branches of src/ that `npm test` must run. */
const REQUIRED = { lines: 90, branches: 90 };

/**
 * Not counted: the viewer's page, which runs in a browser, and OpenTelemetry's own code, which the build
 * bundles.
 */
const counted = (source) => source.startsWith('src/') && !source.startsWith('src/viewer/page/');

const MERGE_EVERY_MS = 2000;

export class Coverage {
  #directory = mkdtempSync(join(tmpdir(), 'forktrace-coverage-'));
  #merged = { result: [] };
  #timer = setInterval(() => this.#merge(), MERGE_EVERY_MS);

  /** What the tests' processes need in their environment. */
  get environment() {
    // Code that an earlier process has kept counts no branches.
    return { NODE_V8_COVERAGE: this.#directory, NODE_DISABLE_COMPILE_CACHE: '1' };
  }

  #merge() {
    const processes = [this.#merged];
    for (const file of readdirSync(this.#directory)) {
      const path = join(this.#directory, file);
      const result = readProcess(path);
      if (result === undefined) continue;
      processes.push({ result });
      rmSync(path);
    }
    if (processes.length > 1) this.#merged = mergeProcessCovs(processes);
  }

  /** Prints the report. False if too little is covered. */
  async report() {
    clearInterval(this.#timer);
    this.#merge();
    rmSync(this.#directory, { recursive: true, force: true });
    const report = new CoverageReport({
      name: 'Coverage of src/',
      outputDir: fileURLToPath(new URL('coverage/', root)),
      reports: ['html', 'json-summary'],
      sourceFilter: counted,
      logging: 'error',
      clean: true,
      cleanCache: true,
    });
    const loaded = this.#merged.result.filter(({ url }) => sourceMapOf(url) !== undefined);
    await report.add([...loaded, ...neverLoaded(loaded)].map(withSources));
    await report.generate();
    // Lines that have statements; types and comments are none.
    const { total, ...files } = JSON.parse(readFileSync(new URL('coverage/coverage-summary.json', root), 'utf8'));
    const least = Object.entries(files)
      .filter(([, { lines }]) => lines.pct < REQUIRED.lines)
      .sort(([, a], [, b]) => a.lines.pct - b.lines.pct);
    for (const [path, { lines, branches }] of least) {
      console.log(`${path}: lines ${lines.pct} %, branches ${branches.pct} %`);
    }
    console.log(`coverage of src/: ${total.lines.pct} % of lines, ${total.branches.pct} % of branches`);
    const short = Object.entries(REQUIRED).filter(([kind, percent]) => !(total[kind].pct >= percent));
    for (const [kind, percent] of short) {
      console.error(`coverage: ${total[kind].pct} % of ${kind} of src/ are run by the tests, expected ${percent} %`);
    }
    return short.length === 0;
  }
}

/**
 * Node.js 20 gives the initializer of a class's fields the range of the whole class. Of a class that no
 * process has made there, it would hide what another version of Node.js has counted in the methods.
 */
const isComparable = ({ functionName, ranges }) =>
  functionName !== '<instance_members_initializer>' || ranges[0].count > 0;

/** The counts of our own modules in one process; undefined while its file is being written. */
function readProcess(path) {
  let text;
  try {
    text = readFileSync(path, 'utf8');
    const ours = JSON.parse(text).result.filter(({ url }) => url.startsWith(compiled) && !url.startsWith(bundledSdk));
    return ours.map((script) => ({ ...script, functions: script.functions.filter(isComparable) }));
  } catch {
    return undefined;
  }
}

/** The compiled modules that no process has loaded: none of their lines has been run. */
function neverLoaded(loaded) {
  const known = new Set(loaded.map(({ url }) => url));
  return readdirSync(new URL('dist/', root), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.c?js$/.test(file))
    .map((file) => new URL(file, compiled).href)
    .filter((url) => !known.has(url) && !url.startsWith(bundledSdk) && sourceMapOf(url) !== undefined)
    .map((url) => {
      const ranges = [{ startOffset: 0, endOffset: readFileSync(fileURLToPath(url), 'utf8').length, count: 0 }];
      return { scriptId: '0', url, functions: [{ functionName: '', isBlockCoverage: true, ranges }] };
    });
}

/** A compiled module with its text, and its source map with paths from the root of the project. */
function withSources(script) {
  const source = readFileSync(fileURLToPath(script.url), 'utf8');
  const map = sourceMapOf(script.url);
  const urls = map.sources.map((path) => new URL(path, script.url));
  map.sources = urls.map(({ href }) => (href.startsWith(root.href) ? href.slice(root.href.length) : href));
  map.sourcesContent = urls.map((url) =>
    url.protocol === 'file:' && existsSync(url) ? readFileSync(url, 'utf8') : '',
  );
  return { ...script, source, sourceMap: map };
}

/** Undefined for a module that the build has written itself: one that takes its exports from a bundle. */
function sourceMapOf(url) {
  const named = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(readFileSync(fileURLToPath(url), 'utf8'));
  return named ? JSON.parse(readFileSync(fileURLToPath(new URL(named[1], url)), 'utf8')) : undefined;
}
