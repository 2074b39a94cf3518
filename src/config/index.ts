/**
 * What the other folders load of this one. For a process that starts pays for each module that it loads, it
 * is part of a bundle at run time (scripts/build-bundles.mjs).
 *
 * @module
 */
export {
  attributesSettled,
  awaitedAttributes,
  isResource,
  knownAttributes,
  schemaUrlOf,
} from './configured-resource.js';
export { Environment } from './environment.js';
export { resolveHttp } from './http.js';
export { requireOptional } from './optional-package.js';
export { OPTIONS_FILE_VARIABLE } from './options-file.js';
export { resolveConfig, type StartedAs } from './resolve.js';
export { PROPAGATOR_PACKAGES, SAMPLER_PACKAGES } from './variables.js';
