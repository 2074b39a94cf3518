import { requireOptional, SAMPLER_PACKAGES } from '../config/index.js';
import type { NamedSampler } from '../config/resolved.js';
import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler, TraceIdRatioBasedSampler } from '../sdk/samplers.js';
import type { Sampler } from '../sdk/types.js';
import { SERVICE_NAME } from '../wire/conventions.js';

/** The SDK's sampler for a name of `OTEL_TRACES_SAMPLER`, or the user's own sampler unchanged. */
export function createSampler(sampler: Sampler | NamedSampler): Sampler {
  if ('shouldSample' in sampler) return sampler;
  switch (sampler.name) {
    case 'always_on':
      return new AlwaysOnSampler();
    case 'always_off':
      return new AlwaysOffSampler();
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(sampler.ratio);
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: new AlwaysOnSampler() });
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: new AlwaysOffSampler() });
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampler.ratio) });
    case 'jaeger_remote':
      return jaegerRemote(sampler);
    case 'parentbased_jaeger_remote':
      return new ParentBasedSampler({ root: jaegerRemote(sampler) });
    case 'xray': {
      const { AWSXRayRemoteSampler } = requireOptional(SAMPLER_PACKAGES.xray) as {
        AWSXRayRemoteSampler: new (options: object) => Sampler;
      };
      const { endpoint, polling_interval: seconds } = sampler.remote ?? {};
      return new AWSXRayRemoteSampler({
        resource: { attributes: { [SERVICE_NAME]: sampler.remote?.[SERVICE_NAME] } },
        ...(endpoint && { endpoint }),
        ...(Number(seconds) > 0 && { pollingInterval: Number(seconds) }),
      });
    }
  }
}

/**
 * The names of the arguments are from the OpenTelemetry specification, "General SDK Configuration",
 * `jaeger_remote`.
 */
function jaegerRemote({ remote = {} }: NamedSampler): Sampler {
  const { JaegerRemoteSampler } = requireOptional(SAMPLER_PACKAGES.jaeger_remote) as {
    JaegerRemoteSampler: new (options: object) => Sampler;
  };
  const interval = Number(remote.pollingIntervalMs);
  const rate = Number(remote.initialSamplingRate);
  return withoutHolding(
    () =>
      new JaegerRemoteSampler({
        endpoint: remote.endpoint ?? 'http://localhost:14250',
        serviceName: remote[SERVICE_NAME],
        poolingInterval: interval > 0 ? interval : 60_000,
        initialSampler: new TraceIdRatioBasedSampler(rate >= 0 && rate <= 1 ? rate : 0.001),
      }),
  );
}

/**
 * The sampler asks its service at intervals. Its timer must not keep a process alive that has nothing left to
 * do.
 */
function withoutHolding<T>(create: () => T): T {
  const { setInterval } = globalThis;
  globalThis.setInterval = ((...args: Parameters<typeof setInterval>) => setInterval(...args).unref()) as never;
  try {
    return create();
  } finally {
    globalThis.setInterval = setInterval;
  }
}
