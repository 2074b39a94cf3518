// Sentry with all transactions sampled.
const Sentry = require('@sentry/node');

const { host } = new URL(process.env.BENCH_HTTP_SINK);
Sentry.init({ dsn: `http://key@${host}/1`, tracesSampleRate: 1 });
