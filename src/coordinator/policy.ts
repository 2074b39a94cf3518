import type { SuperviseConfig } from '../config/types.js';

/** {@link SuperviseConfig} with every default filled in. */
export type SupervisePolicy = Readonly<Required<SuperviseConfig>>;
