const { IORedisInstrumentation } = require('@opentelemetry/instrumentation-ioredis');
const { PgInstrumentation } = require('@opentelemetry/instrumentation-pg');

module.exports = () => [new IORedisInstrumentation(), new PgInstrumentation()];
