import { defineEventHandler } from 'h3';

export default defineEventHandler((event) => {
  if (event.context.params.id === '0') throw new Error('no such item');
  return 'item';
});
