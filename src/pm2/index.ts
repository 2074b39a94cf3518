/** pm2 ecosystem helper: `import { defineEcosystem } from 'forktrace/pm2'`. @module */
export { defineEcosystem, type Ecosystem, type EcosystemApp, type EcosystemTracing } from './ecosystem.js';
