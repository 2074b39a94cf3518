/**
 * `npm run deaths`: each way of blocking and dying in a real cluster, on each version of Node.js that is
 * named by its binary, and docs/deaths.md. With `--one <path>` that one alone, as JSON: so it runs in a
 * process of the version that it is about.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Death, measure } from './measure.js';
import { ways } from './ways.js';

const [option, path, ...more] = process.argv.slice(2);
if (option === '--one') {
  const way = ways.find((each) => each.path === path)!;
  const death = await measure(way).catch((error: Error) => ({ failed: error.message.slice(0, 200) }));
  process.stdout.write(`\n${JSON.stringify(death)}\n`);
  process.exit();
}

const self = fileURLToPath(import.meta.url);
const binaries = option === undefined ? [process.execPath] : [option, ...(path ? [path] : []), ...more];
const sections: string[] = [];
for (const binary of binaries) {
  const version = execFileSync(binary, ['--version'], { encoding: 'utf8' }).trim();
  const rows = ways.map((way) => {
    const output = execFileSync(binary, [self, '--one', way.path], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 180_000,
    });
    const row = described(way.about, JSON.parse(output.trim().split('\n').at(-1)!));
    console.error(version, row);
    return row;
  });
  sections.push(
    `## Node.js ${version}\n\n| what happens | cause | culprit | line | others in flight | what it did |\n|---|---|---|---|---|---|\n${rows.join('\n')}`,
  );
}
writeFileSync(
  new URL('../../docs/deaths.md', import.meta.url),
  `# What the trace says of a death

Each row is one run of a real cluster with one worker and a watchdog of 5 s (${'`supervise.heartbeatTimeoutMs`'}). The worker is serving two requests to ${'`/patient`'}
when the request of the first column arrives. The other columns are what the spans say that reach an OTLP endpoint. ${'`npm run deaths`'} writes this page, on
Linux; [Forensics](forensics.md) explains how forktrace finds this out.

"Cannot be seen" means that no evidence names the request: native code cannot be interrupted to read its stack, and no request causes a signal from outside.
A request that waits for a promise that never resolves does not block the event loop, so the trace only shows that it was still in flight at the end.

${sections.join('\n\n')}
`,
);

function described(about: string, death: Death | { failed: string }): string {
  if ('failed' in death) return `| ${about} | failed: ${death.failed.replaceAll('\n', ' ')} | | | | |`;
  const unseen = 'cannot be seen';
  const { cause, culprit, line, victims, others, state } = death;
  const blamed = culprit === undefined ? unseen : `\`${culprit}\``;
  const inFlight = [victims > 0 ? `${victims} victims` : '', others > 0 ? `${others} not told apart` : ''];
  const cells = [
    about,
    cause === undefined ? 'lives: `event loop blocked`' : `\`${cause}\``,
    blamed,
    line === undefined ? unseen : `\`${line}\``,
    inFlight.filter(Boolean).join(', ') || '–',
    state ?? '–',
  ];
  return `| ${cells.join(' | ')} |`;
}
