/** @module Options of what is found out about a worker that is blocked or dies. */
import { flag } from '../kinds.js';
import { block, option } from '../option.js';

export const forensic = {
  forensics: block('ForensicsConfig', 'What is found out about a worker that is blocked or dies.', {
    peek: option(flag, {
      about:
        'When the event loop of a worker is blocked, the coordinator reads its JavaScript stack and its active span through the inspector. See [forensics.md](forensics.md).',
      variable: 'FORKTRACE_PEEK',
      default: true,
    }),
  }),
};
