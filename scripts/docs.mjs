// Builds the documentation as a site: docs/ and the API, into site/dist.
//   npm run docs             fails on a broken link, and on a public member without documentation
//   npm run docs -- --serve  serves it while it is written
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const site = `${root}site`;
const pages = `${site}/pages`;

function run(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: site, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

// What builds the site is apart: it is large, needs another TypeScript, and nobody who works on the package
// waits for it.
const lock = `${site}/package-lock.json`;
const installed = `${site}/node_modules/.installed-lock`;
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== readFileSync(lock, 'utf8')) {
  run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund');
  cpSync(lock, installed);
}

rmSync(pages, { recursive: true, force: true });
mkdirSync(`${pages}/public`, { recursive: true });
for (const folder of ['charts', 'screenshots'])
  cpSync(`${root}docs/${folder}`, `${pages}/${folder}`, { recursive: true });
// Files that pages link and that are no pages.
for (const folder of ['deploy', 'examples']) {
  // A README there is for those who look at the files, and would be a page of the site.
  const filter = (path) => !path.endsWith('/README.md');
  cpSync(`${root}${folder}`, `${pages}/public/${folder}`, { recursive: true, filter });
}
const asPage = (text) => text.replaceAll(/\]\(\.\.\/(deploy|examples)\//g, '](/$1/');
for (const name of readdirSync(`${root}docs`).filter((name) => name.endsWith('.md'))) {
  const text = readFileSync(`${root}docs/${name}`, 'utf8');
  writeFileSync(`${pages}/${name === 'README.md' ? 'index.md' : name}`, asPage(text));
}
cpSync(`${site}/node_modules/mermaid/dist/mermaid.min.js`, `${pages}/public/mermaid.min.js`);
writeFileSync(`${pages}/changelog.md`, readFileSync(`${root}CHANGELOG.md`, 'utf8').replaceAll('](docs/', ']('));

/** The index is the table of contents: its headings and the pages below them. */
const sidebar = [];
for (const line of readFileSync(`${root}docs/README.md`, 'utf8').split('\n')) {
  const heading = /^## (.+)/.exec(line);
  if (heading) sidebar.push({ text: heading[1], items: [] });
  const page = /^\| \[([^\]]+)\]\(([\w-]+)\.md\)/.exec(line);
  if (page) sidebar.at(-1).items.push({ text: page[1].replaceAll('`', ''), link: `/${page[2]}` });
}
sidebar.at(-1).items.push({ text: 'API', link: '/api/' }, { text: 'Changelog', link: '/changelog' });
writeFileSync(`${pages}/sidebar.json`, JSON.stringify(sidebar, null, 2));

run(process.execPath, 'node_modules/typedoc/bin/typedoc');
run(process.execPath, 'node_modules/vitepress/bin/vitepress.js', process.argv.includes('--serve') ? 'dev' : 'build');
