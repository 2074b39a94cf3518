/**
 * `@opentelemetry/api` as one file: read one by one, its 44 files are a sixth of what a start costs.
 *
 * Our bundle of it stands where Node keeps what it has loaded of the installed package, if that is the same
 * version. So there is one copy: the app, its instrumentations and the SDK get it, too. Any other version is
 * loaded as it is.
 *
 * @module
 */
import fs = require('node:fs');
import Module = require('node:module');
import loadBundle = require('./load-bundle.cjs');

const NAME = '@opentelemetry/api';
/** What is in the bundle; the build compares. */
const BUNDLED_VERSION = '1.9.1';
const PACKAGE = /^.*[\\/]@opentelemetry[\\/]api[\\/]/;

function isBundled(file: string): boolean {
  const [dir] = PACKAGE.exec(file) ?? [];
  if (dir === undefined) return false;
  return JSON.parse(fs.readFileSync(`${dir}package.json`, 'utf8')).version === BUNDLED_VERSION;
}

const file = require.resolve(NAME);
if (loadBundle.isMainRealm && require.cache[file] === undefined && isBundled(file)) {
  const module = new Module(file);
  module.filename = file;
  module.loaded = true;
  module.exports = loadBundle('bundle-api.cjs');
  require.cache[file] = module;
}

export = require(file) as typeof import('@opentelemetry/api');
