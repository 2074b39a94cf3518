import type { TestContext } from 'node:test';
import type { TracingConfig } from 'forktrace';
import { type ClusterOptions, RunningCluster } from './running-cluster.js';

/**
 * The service `shop` on one worker, which a test makes die: its spans go to `url` through the journal
 * `dir/shop`, and it is up again soon.
 */
export function oneWorker(
  t: Pick<TestContext, 'after'>,
  dir: string,
  url: string,
  { supervise, ...config }: TracingConfig = {},
  options: ClusterOptions = { fixture: 'stuck-cluster' },
): Promise<RunningCluster> {
  return RunningCluster.ready(
    t as TestContext,
    {
      workers: 1,
      serviceName: 'shop',
      pipeline: 'journal',
      journal: { dir },
      export: { to: 'otlp-grpc', url },
      supervise: { backoffMinMs: 20, ...supervise },
      ...config,
    },
    options,
  );
}
