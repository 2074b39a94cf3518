// Bundles the shipper process and its launcher, over what tsc has put into dist/shipper: each has what it
// runs, and no more. From the modules beside it, and so from the bundles of a traced process, either would
// load all of a tracer: 2 MB, and half of the CPU time of its start. What sends is loaded when it is known
// who is sent to.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'dist/shipper');

const PART = 'part-';
for (const name of readdirSync(target)) if (name.startsWith(PART)) rmSync(join(target, name));

const shipperAlone = {
  name: 'shipper-alone',
  setup({ onLoad }) {
    // Nothing traces these processes: what keeps requests of ours out of traces loads OpenTelemetry's API.
    onLoad({ filter: /\/src\/untraced\.ts$/ }, () => ({
      contents: 'export const untraced = (send) => send();',
    }));
    // Files are found by where the module is.
    onLoad({ filter: /\/src\/own-files\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', "new URL('../own-files.js', import.meta.url)"),
      loader: 'ts',
    }));
  },
};

const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/shipper/main.ts', 'src/shipper/launch.ts'],
  outdir: target,
  chunkNames: `${PART}[name]-[hash]`,
  splitting: true,
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  sourcemap: true,
  plugins: [shipperAlone],
  metafile: true,
  logLevel: 'warning',
});

for (const path of Object.keys(metafile.inputs)) {
  if (path === 'src/own-files.ts' || !/import\.meta|createRequire/.test(readFileSync(join(root, path), 'utf8')))
    continue;
  throw new Error(`${path} finds files by where it is, which is not where its bundle is: scripts/build-shipper.mjs`);
}
