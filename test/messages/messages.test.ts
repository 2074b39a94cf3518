// messages.md is what users see, word for word. `UPDATE_MESSAGES=1 npm test -- messages/` writes it anew:
// read the diff.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { errors } from '#src/errors.js';
import { warnings } from '#src/warn.js';
import { cannotChangeUser } from '../process/as-user.js';
import { play, type Scene } from './scene.js';
import { scenes } from './scenes.js';

const path = fileURLToPath(new URL('../../test/messages/messages.md', import.meta.url));
const update = process.env.UPDATE_MESSAGES === '1';
const page = update ? '' : readFileSync(path, 'utf8');
const sections: string[] = [];

describe('what users see', { concurrency: 2 }, () => {
  for (const [index, scene] of scenes.entries()) {
    const skip = scene.needsRoot ? cannotChangeUser() : false;
    test(`${scene.code}: ${scene.when}`, { skip }, async () => {
      const shown = await play(scene);
      for (const code of [scene.says ?? scene.code, ...(scene.shows ?? [])])
        assert.ok(shown.includes(code), `${code} in:\n${shown}`);
      const section = sectionOf(scene, shown);
      sections[index] = section;
      if (update) return;
      const start = page.indexOf(section.slice(0, section.indexOf('\n')));
      const end = page.indexOf('\n## ', start + 1);
      assert.equal(section.trim(), start < 0 ? '' : page.slice(start, end < 0 ? undefined : end + 1).trim());
    });
  }
});

test('every code has a scene, and every section is one of a scene', () => {
  const shown = new Set(scenes.flatMap(({ code, shows = [] }) => [code, ...shows]));
  const codes = [...Object.keys(errors), ...Object.keys(warnings)];
  assert.deepEqual(
    codes.filter((code) => !shown.has(code)),
    [],
  );
  const titles = scenes.map(({ code, when }) => `${code}: ${when}`);
  if (!update)
    assert.deepEqual(
      [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title),
      titles,
    );
});

after(() => {
  if (!update) return;
  const intro =
    '# What users see\n\nEach message, shown by a program that runs into it. Paths, ports and pids are replaced by words.\nWritten by `UPDATE_MESSAGES=1 npm test -- messages/`, compared by `npm test`.\n\n';
  writeFileSync(path, intro + sections.join('\n'));
});

function sectionOf({ code, when, files, command, env, collector }: Scene, shown: string): string {
  const programs = Object.entries(files).map(([name, text]) => `// ${name}\n${text}`);
  const program = programs.length > 0 ? `\`\`\`js\n${programs.join('\n')}\`\`\`\n\n` : '';
  const variables = Object.entries(env ?? {}).map(([name, value]) => `${name}=${value} `);
  const endpoint = collector ? `The Collector at http://127.0.0.1:COLLECTOR ${collector.does}.\n\n` : '';
  return `## ${code}: ${when}\n\n${endpoint}${program}\`\`\`console\n$ ${variables.join('')}${command}\n${shown}\`\`\`\n`;
}
