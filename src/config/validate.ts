import * as v from 'valibot';
import { describeValue, ForktraceError } from '../errors.js';
import { nearestName } from './nearest-name.js';
import { optionNames, tracingConfig } from './schema.js';
import type { TracingConfig } from './types.js';

/** @throws ForktraceError with code FORKTRACE_CONFIG_INVALID for the first option that is wrong or unknown */
export function validateConfig(config: TracingConfig): void {
  const { issues } = v.safeParse(tracingConfig, config, { abortEarly: true, abortPipeEarly: true });
  const issue = issues?.[0];
  if (!issue) return;
  const keys = (issue.path ?? []).map((item) => String(item.key));
  const option = keys.join('.');
  if (issue.type === 'strict_object' && issue.expected === 'never') {
    const known = optionNames[keys.slice(0, -1).join('.')] ?? [];
    const meant = nearestName(keys.at(-1)!, known);
    const expected = meant ? `${meant} (did you mean that?)` : `one of ${known.join(', ')}`;
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [option, 'an unknown name', expected]);
  }
  // A header's value may be a secret.
  const found = option.startsWith('export.headers.') ? `a ${typeof issue.input}` : describeValue(issue.input);
  throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [option || '(all)', found, issue.message]);
}
