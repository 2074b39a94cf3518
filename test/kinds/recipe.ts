import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const docs = fileURLToPath(new URL('../../docs/', import.meta.url));

/**
 * Writes the programs of a page into a project: each block of code whose first line is a comment with the
 * name of its file.
 */
export async function writeRecipes(page: string, project: string): Promise<string[]> {
  const text = await readFile(join(docs, page), 'utf8');
  const names: string[] = [];
  for (const [, name, source] of text.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)) {
    await writeFile(join(project, name!), source!);
    names.push(name!);
  }
  return names;
}
