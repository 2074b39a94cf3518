// messages.md is what users see, word for word. `UPDATE_MESSAGES=1 npm test -- messages/` writes it anew: read the diff.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { play, type Scene } from './scene.js';
import { scenes } from './scenes.js';

const path = fileURLToPath(new URL('../../test/messages/messages.md', import.meta.url));
const update = process.env.UPDATE_MESSAGES === '1';
const page = update ? '' : readFileSync(path, 'utf8');
const sections: string[] = [];

for (const scene of scenes) {
  test(`${scene.code}: ${scene.when}`, async () => {
    const section = sectionOf(scene, await play(scene));
    sections.push(section);
    if (update) return;
    const start = page.indexOf(section.slice(0, section.indexOf('\n')));
    const end = page.indexOf('\n## ', start + 1);
    assert.equal(start < 0 ? '' : page.slice(start, end < 0 ? undefined : end + 1).trim(), section.trim());
  });
}

after(() => {
  if (!update) return;
  const intro =
    '# What users see\n\nEach message, shown by a program that runs into it. Paths, ports and pids are replaced by words.\nWritten by `UPDATE_MESSAGES=1 npm test -- messages/`, compared by `npm test`.\n\n';
  writeFileSync(path, intro + sections.join('\n'));
});

function sectionOf({ code, when, files, command, env }: Scene, shown: string): string {
  const programs = Object.entries(files).map(([name, text]) => `// ${name}\n${text}`);
  const program = programs.length > 0 ? `\`\`\`js\n${programs.join('\n')}\`\`\`\n\n` : '';
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value} `);
  return `## ${code}: ${when}\n\n${program}\`\`\`console\n$ ${variables.join('')}${command}\n${shown}\`\`\`\n`;
}
