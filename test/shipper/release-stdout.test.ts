// What a shipper prints that has let go of a terminal must not stand on the shell's prompt.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PseudoTerminal } from '../cli/terminal.js';
import { tempDir } from '../process/temp-dir.js';

test('after it has let go of a terminal nothing is written there, whether there was anything before or not', async (t) => {
  const program = join(await tempDir(t), 'releases.mjs');
  writeFileSync(
    program,
    `import { readdirSync, readlinkSync } from 'node:fs';
    import { setImmediate as turn } from 'node:timers/promises';
    import { releaseStdout } from ${JSON.stringify(import.meta.resolve('#src/shipper/release-stdout.js'))};
    if (process.argv[2] === 'writes') console.log('before');
    await turn();
    releaseStdout();
    console.log('after');
    await turn();
    const isTerminal = (fd) => { try { return readlinkSync('/proc/self/fd/' + fd).startsWith('/dev/pts/'); } catch {} };
    console.error('holds ' + JSON.stringify(readdirSync('/proc/self/fd').filter(isTerminal).sort()) + '.');`,
  );
  for (const before of ['writes', 'is silent']) {
    // Standard input and error are somebody else's, as a shipper's are.
    const terminal = new PseudoTerminal(
      t,
      `exec 3>&1; '${process.execPath}' '${program}' '${before}' 2>&1 >&3 3>&- < /dev/null | cat`,
    );
    assert.equal(await terminal.exited, 0);
    assert.equal(terminal.output.includes('before'), before === 'writes');
    assert.doesNotMatch(terminal.output, /after/);
    assert.match(terminal.output, /holds \[\]\./, 'who waits for the end of the terminal gets it');
  }
});
