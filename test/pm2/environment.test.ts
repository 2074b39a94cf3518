import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pm2ShutdownTimeoutMs, unpackPm2Environment } from '#src/pm2/environment.js';

test('what tracing needs is taken out of pm2_env, and what is set already stays', () => {
  const env: NodeJS.ProcessEnv = {
    OTEL_SERVICE_NAME: 'mine',
    pm2_env: JSON.stringify({
      OTEL_SERVICE_NAME: 'packed',
      OTEL_TRACES_SAMPLER: 'always_off',
      NODE_APP_INSTANCE: 2,
      pm_id: 5,
      kill_timeout: 3000,
      axm_options: { a: 1 },
      SECRET: 'x',
      env: { FORKTRACE_PIPELINE: 'batch' },
    }),
  };
  unpackPm2Environment(env);
  const { pm2_env: _, ...rest } = env;
  assert.deepEqual(rest, {
    OTEL_SERVICE_NAME: 'mine',
    OTEL_TRACES_SAMPLER: 'always_off',
    NODE_APP_INSTANCE: '2',
    pm_id: '5',
    kill_timeout: '3000',
    FORKTRACE_PIPELINE: 'batch',
  });
});

for (const pm2_env of ['', '{', '7', 'null']) {
  test(`a pm2_env that is ${JSON.stringify(pm2_env)} changes nothing`, () => {
    const env: NodeJS.ProcessEnv = { pm2_env };
    unpackPm2Environment(env);
    assert.deepEqual(env, { pm2_env });
  });
}

test("the deadline is below pm2's kill_timeout, its default of 1,600 ms included", () => {
  assert.equal(pm2ShutdownTimeoutMs({ kill_timeout: '3000' }), 2750);
  assert.equal(pm2ShutdownTimeoutMs({}), 1350);
  assert.equal(pm2ShutdownTimeoutMs({ kill_timeout: '100' }), 50);
  assert.equal(pm2ShutdownTimeoutMs({ kill_timeout: 'soon' }), 1350);
});
