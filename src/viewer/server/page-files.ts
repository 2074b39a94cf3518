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
export function pageFile(path: string): PageFile {
  const { file, type } = FILES[path] ?? INDEX;
  let found = read.get(file);
  if (found === undefined) {
    found = { content: readFileSync(new URL(`../page/${file}`, import.meta.url)), type };
    read.set(file, found);
  }
  return found;
}
