// Starts the agent that AGENT names, as its documentation has it. `seesRequest` says whether it knows the
// request that is being served.
const agents = {
  'dd-trace'() {
    const tracer = require('dd-trace').init({
      startupLogs: false,
      url: process.env.NOWHERE,
      telemetry: { enabled: false },
    });
    return () => tracer.scope().active() !== null;
  },
  newrelic() {
    // Without a server of New Relic's to connect to, it collects in this mode alone.
    Object.assign(process.env, {
      NEW_RELIC_SERVERLESS_MODE_ENABLED: 'true',
      NEW_RELIC_APP_NAME: 'shop',
      NEW_RELIC_LOG: 'stderr',
    });
    const { agent } = require('newrelic');
    return () => Boolean(agent.getTransaction());
  },
  '@sentry/node'() {
    const sentry = require('@sentry/node');
    sentry.init({ dsn: 'http://key@127.0.0.1:9/1', skipOpenTelemetrySetup: true });
    return () => Boolean(sentry.getIsolationScope().getScopeData().sdkProcessingMetadata.normalizedRequest);
  },
  'elastic-apm-node'() {
    const agent = require('elastic-apm-node').start({ disableSend: true, serviceName: 'shop', logLevel: 'off' });
    return () => Boolean(agent.currentTransaction);
  },
  '@pm2/io'() {
    require('@pm2/io').init({ metrics: { http: true } });
    let requests = 0;
    const { send } = process;
    // It tells its manager: of requests once a second.
    process.send = (message, ...rest) => {
      if (message?.type === 'axm:monitor' && message.data?.HTTP?.value > 0) requests++;
      return send?.call(process, message, ...rest) ?? true;
    };
    return () => requests > 0;
  },
};

globalThis.seesRequest ??= agents[process.env.AGENT]();
