import { testInstall } from './install.js';

testInstall('20');
