/** pm2 ecosystem helper: `import { defineEcosystem } from 'forktrace/pm2'`. @module */
export {};
