/**
 * The one table of options. Types (`../tracing-config.ts`), validation, environment, defaults and
 * docs/configuration.md follow from it.
 *
 * @module
 */
import { exporting } from './export.js';
import { forensic } from './forensics.js';
import { serving } from './http.js';
import { journaling } from './journal.js';
import { logging } from './logs.js';
import { service } from './service.js';
import { supervising } from './supervise.js';
import { tracing } from './tracing.js';

/**
 * The sections of the reference page, in its order.
 *
 * @public read by scripts/generate.mjs
 */
export const sections = {
  'Service and processes': service,
  Export: exporting,
  Journal: journaling,
  Tracing: tracing,
  Logs: logging,
  'HTTP server spans': serving,
  Supervision: supervising,
  Forensics: forensic,
} as const;

export const options = {
  ...service,
  ...exporting,
  ...journaling,
  ...tracing,
  ...logging,
  ...serving,
  ...supervising,
  ...forensic,
};
