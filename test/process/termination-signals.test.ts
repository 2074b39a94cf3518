import { endsAsUntraced } from './signal-table.js';

endsAsUntraced('preloaded, journal', { place: 'plain', when: ['before', 'after'] });
endsAsUntraced('preloaded, batch', { place: 'plain', env: { FORKTRACE_PIPELINE: 'batch' } });
endsAsUntraced('preloaded, shipping inline', { place: 'plain', env: { FORKTRACE_SHIP: 'inline' } });
