// Comments are at most 110 columns wide.
//   npm run comments             names those that are wider, and fails
//   npm run comments -- --write breaks them anew, from the first line that is too wide to the end of its
//   paragraph
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const WIDTH = 110;
const root = fileURLToPath(new URL('..', import.meta.url));
const write = process.argv.includes('--write');
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));

const isWide = (line) => [...line].length > WIDTH;
/** What begins a paragraph of its own: a tag, an item of a list, a row of a table, a code block. */
const BEGINS = /^(@|[-*|#] ?|\d+\. |```)/;

/** A row of a table: what stands in columns is not broken by a machine. */
const isRow = (text) => text.startsWith('|') || /\S {2,}\S/.test(text);

/**
 * These words in lines of at most {@link WIDTH} columns, `first` before the first line and `next` before the
 * others.
 */
function wrapped(text, first, next) {
  const lines = [];
  let line = first;
  let isEmpty = true;
  // What is between backticks or braces of a tag stays in one piece.
  for (const word of text.match(/(?:`[^`]*`|\{@[^}]*\}|\S)+/g) ?? []) {
    if (!isEmpty && isWide(`${line} ${word}`)) {
      lines.push(line);
      line = next;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  lines.push(line);
  return lines;
}

function rewrapped(source) {
  const lines = source.split('\n');
  const out = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    const single = /^(\s*)\/\*\* (.*) \*\/$/.exec(line);
    if (single && isWide(line)) {
      const [, indent, text] = single;
      out.push(`${indent}/**`, ...wrapped(text, `${indent} * `, `${indent} * `), `${indent} */`);
      continue;
    }
    if (/^\s*\/\*\*?$/.test(line)) {
      let end = at;
      while (end < lines.length && !/\*\/$/.test(lines[end])) end++;
      out.push(line, ...paragraphs(lines.slice(at + 1, end), /^(\s*\* )(\s*)(.*)$/));
      at = end - 1;
      continue;
    }
    if (/^\s*\/\/ /.test(line) && !/biome-ignore|@ts-/.test(line)) {
      const indent = /^\s*/.exec(line)[0];
      let end = at;
      while (end < lines.length && lines[end].startsWith(`${indent}// `) && !/biome-ignore|@ts-/.test(lines[end]))
        end++;
      out.push(...paragraphs(lines.slice(at, end), /^(\s*\/\/ )(\s*)(.*)$/));
      at = end - 1;
      continue;
    }
    out.push(line);
  }
  return out.join('\n');
}

function paragraphs(lines, shape) {
  const out = [];
  let isCode = false;
  for (let at = 0; at < lines.length; at++) {
    const [, prefix, indent, text] = shape.exec(lines[at]) ?? [];
    if (text?.startsWith('@')) isCode = text.startsWith('@example');
    if (text?.startsWith('```')) isCode = !isCode;
    if (isCode || text === undefined || !isWide(lines[at]) || isRow(text)) {
      out.push(lines[at]);
      continue;
    }
    let hanging = indent + (/^([-*] |\d+\. )/.exec(text)?.[0].replace(/./g, ' ') ?? '');
    const words = [text];
    while (at + 1 < lines.length) {
      const [, , deeper, next] = shape.exec(lines[at + 1]) ?? [];
      if (!next || BEGINS.test(next) || isRow(next) || (deeper !== indent && deeper !== hanging)) break;
      hanging = deeper;
      words.push(next);
      at++;
    }
    out.push(...wrapped(words.join(' '), prefix + indent, prefix + hanging));
  }
  return out;
}

// Not what is installed or compiled below these folders.
const listed = execFileSync(
  'git',
  ['ls-files', '-z', '--cached', '--others', '--exclude-standard', 'src', 'scripts', 'test', 'bench', 'examples'],
  { cwd: root, encoding: 'utf8' },
);
let wide = 0;
for (const short of new Set(listed.split('\0'))) {
  const path = root + short;
  if (!/\.([cm]?tsx?|[cm]?js)$/.test(short) || !existsSync(path)) continue;
  if (named.length > 0 && !named.some((name) => short.includes(name))) continue;
  const source = readFileSync(path, 'utf8');
  const text = write ? rewrapped(source) : source;
  if (text !== source) writeFileSync(path, text);
  for (const [index, line] of text.split('\n').entries()) {
    if (!/^\s*(\/\/|\/\*|\* )/.test(line) || !isWide(line)) continue;
    wide++;
    console.error(`${short}:${index + 1}: a comment of ${[...line].length} columns, more than ${WIDTH}`);
  }
}
if (wide > 0) process.exit(1);
