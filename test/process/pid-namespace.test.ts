import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onlyWaits } from '#src/process/pid-namespace.js';

test('inits, package managers and shells with something to run only wait for the program', () => {
  for (const command of [
    '/sbin/docker-init -- node server.js',
    'tini -g node server.js',
    'sh -c node,server.js',
    '/bin/bash -euc node,server.js',
    '/bin/sh /docker-entrypoint.sh node server.js',
    'npm,start',
    'node /usr/local/bin/npm run serve',
    '/usr/bin/node /usr/lib/node_modules/npm/bin/npm-cli.js start',
    'node /opt/yarn-v1.22.22/bin/yarn.js start',
    'node --no-warnings /usr/local/bin/pnpm start',
    'node --run start',
    'timeout 60 node server.js',
    'forktrace,run,--trace',
    'su app -c node,server.js',
  ])
    assert.equal(onlyWaits(words(command)), true, command);
});

test('programs that may start others, and shells of a person, do more than wait', () => {
  for (const command of [
    'node server.js',
    'node --import forktrace/register scheduler.js',
    'bash',
    '-bash',
    'sh -l',
    'node node_modules/.bin/forktrace run app.js',
    'systemd --system',
    'supervisord -n',
    'crond -f',
    'node /app/node_modules/.bin/pm2-runtime app.js',
    'python3 run.py',
  ])
    assert.equal(onlyWaits(words(command)), false, command);
  assert.equal(onlyWaits([]), false);
});

/** A comma is a space within an argument. */
const words = (command: string) => command.split(' ').map((word) => word.replaceAll(',', ' '));
