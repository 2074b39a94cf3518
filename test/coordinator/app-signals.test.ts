import { endsAsUntraced } from '../process/signal-table.js';

endsAsUntraced('in a worker of the cluster', { place: 'worker' });
endsAsUntraced('in the coordinator', { place: 'primary' });
