// Writes a hash of all bundles into dist/load-bundle.cjs: the code that V8 has made of other ones is not
// theirs. They are ASCII.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
const hash = createHash('sha256');
for (const folder of [dist, join(dist, 'sdk')]) {
  const files = readdirSync(folder).filter((file) => file.endsWith('.cjs') && file !== 'load-bundle.cjs');
  for (const file of files.sort()) {
    const bytes = readFileSync(join(folder, file));
    if (bytes.some((byte) => byte > 0x7f)) throw new Error(`${file} is not ASCII, which src/load-bundle.cts reads`);
    hash.update(file).update(bytes);
  }
}
const loader = join(dist, 'load-bundle.cjs');
const text = readFileSync(loader, 'utf8');
const stamped = text.replace(/(?<=CONTENT_HASH = ')[^']*/, hash.digest('hex').slice(0, 16));
writeFileSync(loader, stamped);
