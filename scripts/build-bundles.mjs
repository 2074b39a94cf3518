// Bundles the modules that nearly every traced process loads, over what tsc has put into dist. One by one, as
// ES modules, they cost a start about 0.5 ms of CPU each, and there are about 170. The bundles are CommonJS:
// Node.js has no graph to link for them.
//
// Each module stays where it is as a file that exports from its bundle: whoever loads one, by whatever name,
// gets the same instance. What is loaded by `require` or `import()` when it is needed stays outside, unless
// it is named here.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src');
const target = join(root, 'dist');

const START = [
  'preload/stand-in.ts',
  'preload/start-once.ts',
  'preload/trace-found-server.ts',
  'worker/journal-pipeline.ts',
  'shipper/start.ts',
];

/**
 * What each has: all that its entries load, of which an earlier one has nothing, and which `and` loads, too.
 */
const BUNDLES = {
  'bundle-preload.cjs': { entries: ['preload/preload.ts'] },
  // What a coordinator loads too: it writes a journal, and loads nothing of what traces an app.
  'bundle-base.cjs': { entries: START, and: ['index.ts', 'coordinator/coordinator.ts'] },
  'bundle-start.cjs': { entries: START },
  'bundle-index.cjs': { entries: ['index.ts'] },
  'bundle-pino.cjs': { entries: ['pino.ts'] },
  'bundle-pm2.cjs': { entries: ['pm2/index.ts'] },
};

/**
 * What package.json exports: file of dist → what is in a bundle for it, and what is done with that at once.
 */
const ENTRY_POINTS = {
  'index.js': { as: 'forktrace', bundle: 'bundle-index.cjs', module: 'index.js' },
  'register.js': {
    as: 'forktrace/register',
    bundle: 'bundle-preload.cjs',
    module: 'preload/preload.js',
    call: 'preload',
  },
  'pino.js': { as: 'forktrace/pino', bundle: 'bundle-pino.cjs', module: 'pino.js' },
  'pm2/index.js': { as: 'forktrace/pm2', bundle: 'bundle-pm2.cjs', module: 'pm2/index.js' },
};

const API = '@opentelemetry/api';
/**
 * Of the SDK what each start needs. The rest stays in files of its own, which scripts/build-sdk.mjs makes.
 */
const SDK = ['sdk/context-manager.ts', 'sdk/propagators.ts'];
const isOfPackage = (importer) => /[\\/]node_modules[\\/]/.test(importer);

const BANNER = [
  'const bundleRequire = require, bundleModule = module;',
  "const bundleUrl = () => bundleRequire('node:url').pathToFileURL(__filename);",
  "const loadBundle = bundleRequire('./load-bundle.cjs');",
].join(' ');

const nameOf = (file) => relative(source, file).split(sep).join('/');
const compiled = (name) => name.replace(/\.ts$/, '.js');
/** A bundle of the SDK's; its `.js` is an ES module, whose load takes a millisecond more. */
const common = (name) => name.replace(/\.ts$/, '.cjs');
const sourceOf = (from, path) => nameOf(resolve(source, dirname(from), path)).replace(/\.js$/, '.ts');
/** module → its bundle */
const bundleOf = new Map();
/** module → its place in what its bundle exports */
const placeOf = new Map();

/** What loads a bundle in another one. */
const loadOf = (bundle, load = 'loadBundle') => `${load}('${bundle}')`;
/** In a bundle the module of `src`, by its place: see `exporting`. */
const moduleIn = (loaded, name) => `${loaded}[${placeOf.get(name)}]()`;
/** The exports of a bundled module as one object. */
async function objectOf(loaded, name) {
  const exported = (await exportsOf(name)).filter((one) => one !== 'default').join(', ');
  return `(([${exported}]) => ({ ${exported} }))(${moduleIn(loaded, name)})`;
}

/** The path of a file of dist from a module there. */
function fromModule(name, file) {
  const path = relative(dirname(join(target, name)), join(target, file))
    .split(sep)
    .join('/');
  return path.startsWith('.') ? path : `./${path}`;
}

/**
 * Takes the exports of a module into constants: what is read from a CommonJS module's object at each use is
 * slower, a getter above all.
 *
 * @param isList what is loaded is a list of them
 */
function constants(loaded, exported, isList = false) {
  const names = exported.filter((name) => name !== 'default');
  const exporting = names.map((name, at) => `export const ${name} = loaded${isList ? `[${at}]` : `.${name}`};`);
  return [`const loaded = ${loaded};`, ...exporting].join('\n');
}

const exports = new Map();
async function exportsOf(name) {
  if (!exports.has(name)) {
    const { metafile } = await build({ ...options, entryPoints: [join(source, name)], outdir: target, write: false });
    exports.set(name, Object.values(metafile.outputs)[0].exports);
  }
  return exports.get(name);
}

/** @param file the bundle that is made; undefined: none, modules are only looked for */
const boundaries = (file = 'unwritten.cjs') => ({
  name: 'boundaries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /./, namespace: 'bundled' }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /./, namespace: 'outside' }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /./, namespace: 'package' }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /\/load-bundle\.cjs$/ }, () => ({ path: './load-bundle.cjs', external: true }));
    onResolve({ filter: /^\./ }, ({ path, importer }) => {
      if (isOfPackage(importer)) return undefined;
      const name = sourceOf(importer === '' || importer === '<stdin>' ? '.' : nameOf(importer), path);
      const bundle = bundleOf.get(name);
      if (name.startsWith('sdk/') && !SDK.includes(name)) return { path: name, namespace: 'outside' };
      if (bundle !== undefined && bundle !== file) return { path: name, namespace: 'bundled' };
      return { path: join(source, name) };
    });
    onResolve({ filter: /^[^.]/ }, ({ path, importer }) => {
      if (isBuiltin(path)) return { path, external: true };
      const isInside = path !== API && (isOfPackage(importer) || SDK.includes(nameOf(importer)));
      return isInside ? undefined : { path, namespace: 'package' };
    });
    onLoad({ filter: /./, namespace: 'bundled' }, async ({ path }) => ({
      contents: constants(moduleIn(loadOf(bundleOf.get(path)), path), await exportsOf(path), true),
    }));
    onLoad({ filter: /./, namespace: 'outside' }, async ({ path }) => ({
      contents: constants(loadOf(common(path)), await exportsOf(path)),
    }));
    onLoad({ filter: /./, namespace: 'package' }, ({ path }) => ({
      contents: constants(`bundleRequire('${path === API ? './api.cjs' : path}')`, Object.keys(require(path))),
    }));
    onLoad({ filter: /\.(ts|js)$/, namespace: 'file' }, async ({ path }) =>
      isOfPackage(path) ? undefined : { contents: await uncommented(nameOf(path), await located(nameOf(path))) },
    );
  },
});

/**
 * Files are found by where the module is, not by where its bundle is; modules that are bundled in their
 * bundle. One `require` is for all of a bundle: what Node makes for each costs a fifth of a millisecond.
 */
async function located(name) {
  const text = readFileSync(join(source, name), 'utf8');
  const objects = new Map();
  // Code of another realm loads what is the process's with the process's functions.
  const load = text.includes('const require = requireInMainRealm(') ? "require('./load-bundle.cjs')" : undefined;
  for (const [, path] of text.matchAll(/\b[rR]equire\('(\.[^']+)'\)/g)) {
    const loaded = sourceOf(name, path);
    if (placeOf.has(loaded)) objects.set(loaded, await objectOf(loadOf(bundleOf.get(loaded), load), loaded));
  }
  const require = /^const require = createRequire\(import\.meta\.url\);$/m.test(text) ? 'bundleRequire' : 'require';
  return text
    .replace(/^const require = createRequire\(import\.meta\.url\);$/m, '')
    .replaceAll('createRequire(import.meta.url)', 'bundleRequire')
    .replaceAll('requireInMainRealm(import.meta.url)', 'requireInMainRealm(__filename)')
    .replaceAll('import.meta.url', `new URL('./${compiled(name)}', bundleUrl()).href`)
    .replace(/(?<![.\w'"-])require(?![\w'"])/g, require)
    .replace(/\b(require|bundleRequire)\('(\.[^']+)'\)/g, (_call, require, path) => {
      const loaded = sourceOf(name, path);
      if (!bundleOf.has(loaded) && loaded.startsWith('sdk/')) return loadOf(common(loaded));
      return objects.get(loaded) ?? `${require}('./${compiled(loaded)}')`;
    })
    .replace(/\bawait import\('(\.[^']+)'\)/g, (_call, path) => {
      return `await loadBundle.importModule('./${compiled(sourceOf(name, path))}')`;
    });
}

/** One character of a comment that is not Latin-1 doubles what V8 reads and keeps of a whole bundle. */
async function uncommented(name, text) {
  const { code } = await transform(text, {
    loader: 'ts',
    target: options.target,
    minifyWhitespace: true,
    sourcemap: 'inline',
    sourcefile: basename(name),
  });
  return code;
}

const options = {
  absWorkingDir: root,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  metafile: true,
  logLevel: 'warning',
  mainFields: ['module', 'main'],
  legalComments: 'none',
};

function bundle(contents, file) {
  return build({
    ...options,
    stdin: { contents, resolveDir: source, loader: 'ts' },
    outfile: join(target, file ?? 'unwritten.cjs'),
    write: file !== undefined,
    bundle: true,
    format: 'cjs',
    banner: { js: BANNER },
    sourcemap: true,
    plugins: [boundaries(file)],
  });
}

/**
 * What gives the exports of each module, in a list, when it is called. V8 makes an object of hundreds of
 * names name by name, in a start of which most are not used.
 */
async function exporting(names) {
  const imports = [];
  const modules = [];
  for (const [at, name] of names.entries()) {
    const exported = await exportsOf(name);
    imports.push(
      `import { ${exported.map((one) => `${one} as _${at}_${one}`).join(', ')} } from './${compiled(name)}';`,
    );
    const named = exported.filter((one) => one !== 'default');
    modules.push(`() => [${named.map((one) => `_${at}_${one}`).join(', ')}]`);
  }
  return `${imports.join('\n')}\nbundleModule.exports = [${modules.join(',\n')}];`;
}

/** Of Node's modules those that most processes would not have without us: loaded when they are used first. */
const LATE = ['child_process', 'cluster', 'os', 'timers/promises', 'tty', 'worker_threads'];
const isLate = (loading) => LATE.some((name) => loading.includes(`"node:${name}"`));
/** As esbuild writes them. */
const NODE_LOAD = /^var (?<as>\w+) = (?<loading>(?:__toESM\()?require\("node:[\w/]+"\)\)?);$/gm;
const OWN_LOAD = /^(?<to>var \w+ = )(?<loading>loadBundle\("[^"]+"\)|bundleRequire\("[^"]+"\))(?=[;[])/gm;
const BUNDLE_LOAD = /\b(?:loadBundle|load-bundle\.cjs"\))\("(?<file>[^"]+)"\)/g;

/** Each module of a bundle loads what it needs. In the bundle that is loaded once, for all of them. */
function loadOnce(file) {
  const path = join(target, file);
  const text = readFileSync(path, 'utf8');
  const shared = new Map();
  for (const { groups } of [...text.matchAll(NODE_LOAD), ...text.matchAll(OWN_LOAD)]) {
    const [, name] = /"(?:node:|\.\/)?([^"]+)"/.exec(groups.loading);
    const kind = groups.loading.startsWith('__') ? '_default' : '';
    shared.set(groups.loading, `shared_${name.replace(/\W/g, '_')}${kind}`);
  }
  const names = new Map();
  for (const { groups } of text.matchAll(NODE_LOAD)) {
    const { as, loading } = groups;
    // esbuild's __toESM is there only when the modules run.
    if (loading.startsWith('__') && !isLate(loading)) throw new Error(`${file}: the default export, by ${loading}`);
    // In parentheses: after `new` the first call would be the constructor's.
    names.set(as, isLate(loading) ? `(${shared.get(loading)}())` : shared.get(loading));
  }
  const once = text
    .replace(NODE_LOAD, '')
    .replace(OWN_LOAD, (...all) => `${all.at(-1).to}${shared.get(all.at(-1).loading)}`)
    .replace(/\bimport_\w+/g, (name) => names.get(name) ?? name);
  const declared = [...shared].map(([loading, name]) =>
    isLate(loading) ? `let ${name}_; const ${name} = () => (${name}_ ??= ${loading});` : `const ${name} = ${loading};`,
  );
  // Never called: so tools that collect the files of a package for a deployment (Nuxt, Vercel) find the
  // bundles.
  const files = new Set([...text.matchAll(BUNDLE_LOAD)].map(({ groups }) => groups.file));
  const found = [...files].map((each) => `require('./${each}')`).join(', ');
  if (files.size > 0) declared.unshift(`void (() => [${found}]);`);
  // In the first line: those that follow are where the source map has them.
  writeFileSync(path, once.replace(BANNER, `$& ${declared.join(' ')}`));
}

/** Names of the modules that are loaded with `entries`, and are in no bundle yet. */
async function closureOf(entries) {
  const fresh = entries.filter((name) => !bundleOf.has(name));
  const { metafile } = await bundle(fresh.map((name) => `import './${compiled(name)}';`).join('\n'));
  const files = Object.keys(metafile.inputs).filter((input) => input.startsWith('src/'));
  return files.map((input) => nameOf(join(root, input)));
}

for (const [file, { entries, and }] of Object.entries(BUNDLES)) {
  const others = and && new Set(await closureOf(and));
  const names = (await closureOf(entries)).filter((name) => !others || others.has(name));
  for (const [at, name] of names.entries()) bundleOf.set(name, file) && placeOf.set(name, at);
}
for (const file of Object.keys(BUNDLES)) {
  const names = [...bundleOf].filter(([, of]) => of === file).map(([name]) => name);
  await bundle(await exporting(names), file);
  loadOnce(file);
  const { code } = await transform(readFileSync(join(target, file), 'utf8'), { minifyWhitespace: true });
  if (/[^.\w]import\(/.test(code)) throw new Error(`${file}: code that is kept cannot import(), on Node 20`);
}
await build({
  ...options,
  stdin: { contents: `export * from '${API}';\nexport { default } from '${API}';`, resolveDir: root },
  outfile: join(target, 'bundle-api.cjs'),
  bundle: true,
  format: 'cjs',
  legalComments: 'none',
});
const { version } = require(`${root}node_modules/${API}/package.json`);
const api = join(target, 'api.cjs');
if (!readFileSync(api, 'utf8').includes(`'${version}'`)) throw new Error(`src/api.cts: ${API} is ${version}`);

for (const [name, file] of bundleOf) {
  if (compiled(name) in ENTRY_POINTS) continue;
  const exported = await exportsOf(name);
  // Not by import, which would read the whole bundle for names of exports.
  const lines = [
    "import { createRequire } from 'node:module';",
    '',
    // In two lines: so tools that collect the files of a package for a deployment (Nuxt, Vercel) find the
    // bundle.
    'const require = createRequire(import.meta.url);',
    `const bundle = require('${fromModule(name, file)}');`,
  ];
  if (exported.length > 0) lines.push(`export const [${exported.join(', ')}] = ${moduleIn('bundle', name)};`);
  writeFileSync(join(target, compiled(name)), `${lines.join('\n')}\n`);
}

// Each entry point for `import` and for `require`; both have the instance that is in the bundle.
const exportsOfErrors = require(join(target, bundleOf.get('errors.ts')))[placeOf.get('errors.ts')]();
const errors = exportsOfErrors[(await exportsOf('errors.ts')).indexOf('errors')];
const missing = JSON.stringify(errors.FORKTRACE_BUNDLED.message('PROGRAM'));
for (const [file, { as, bundle, module, call }] of Object.entries(ENTRY_POINTS)) {
  const name = file.replace(/\.js$/, '.ts');
  const exported = call ? [] : await exportsOf(name);
  const object = await objectOf(loadOf(bundle), module.replace(/\.js$/, '.ts'));
  const load = (here, builtin) => `
/**
 * A user's bundler may have put this file into another one, beside which there is nothing of ours: then it is
 * what is installed.
 */
function load() {
  // Not one that is imported: bundlers follow those.
  const { createRequire } = ${builtin};
  const here = ${here};
  let loadBundle;
  try {
    const require = createRequire(here);
    loadBundle = require('${fromModule(name, 'load-bundle.cjs')}');
    void (() => [require('${fromModule(name, bundle)}')]);
  } catch {}
  if (loadBundle) return ${object};
  for (const place of [here, process.argv[1], process.cwd() + '/program']) {
    let require, path;
    try {
      require = createRequire(place);
      path = require.resolve('${as}');
    } catch {
      continue;
    }
    return require(path);
  }
  const program = process.argv[1] ?? 'this program';
  const error = new Error(${missing}.replace('PROGRAM', () => program));
  error.stack = error.message;
  throw Object.assign(error, { code: 'FORKTRACE_BUNDLED' });
}
`;
  const used = call ? `load().${call}?.(globalThis);` : undefined;
  const esm = [
    load('import.meta.url', "process.getBuiltinModule('node:module')"),
    used ?? `export const { ${exported.join(', ')} } = load();`,
  ];
  writeFileSync(join(target, file), `${esm.join('\n')}\n`);
  const cjs = [
    "'use strict';",
    load("typeof __filename === 'string' ? __filename : undefined", "require('node:module')"),
    used ?? 'module.exports = { ...load() };',
  ];
  writeFileSync(join(target, file.replace(/\.js$/, '.cjs')), `${cjs.join('\n')}\n`);
  const types = `'./${basename(file)}' with { 'resolution-mode': 'import' };`;
  const declarations = call
    ? ['export {};']
    : [
        `import type * as module from ${types}`,
        '',
        `export type * from ${types}`,
        ...exported.map((one) => `export declare const ${one}: typeof module.${one};`),
        // A class is a type as well.
        ...(exported.includes('ForktraceError') ? ['export type ForktraceError = module.ForktraceError;'] : []),
      ];
  writeFileSync(join(target, file.replace(/\.js$/, '.d.cts')), `${declarations.join('\n')}\n`);
}
