// node --import forktrace/register server.mjs
import express from './express.mjs';
import fastify from './fastify.mjs';

const createApp = process.env.APP === 'fastify' ? fastify : express;
Promise.resolve(createApp()).then((server) => {
  server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
});
