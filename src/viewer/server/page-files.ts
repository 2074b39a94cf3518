import { readFileSync } from 'node:fs';

/** The built page: a fixed set of files, read once. */
const FILES: Record<string, { file: string; type: string }> = {
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
  '/icon.svg': { file: 'icon.svg', type: 'image/svg+xml' },
};
const INDEX = { file: 'index.html', type: 'text/html; charset=utf-8' };

export interface PageFile {
  content: Buffer;
  type: string;
}

const read = new Map<string, PageFile>();

/** The file for `path`; every path that is no file is a page of the app, which looks at the path itself. */
export function pageFile(path: string, prefix: string): PageFile {
  const { file, type } = FILES[path] ?? INDEX;
  const key = `${prefix} ${file}`;
  let found = read.get(key);
  if (found === undefined) {
    found = { content: readFileSync(new URL(`../page/${file}`, import.meta.url)), type };
    if (file === INDEX.file) found.content = withPrefix(found.content, prefix);
    read.set(key, found);
  }
  return found;
}

/** The page asks for its parts below `prefix`, and finds it in itself. */
function withPrefix(index: Buffer, prefix: string): Buffer {
  const escaped = prefix.replace(/[&"<>]/g, (character) => `&#${character.charCodeAt(0)};`);
  const html = index.toString('utf8');
  return Buffer.from(
    html.replace(/(href|src)="\//g, `$1="${escaped}/`).replace('data-prefix=""', `data-prefix="${escaped}"`),
  );
}
