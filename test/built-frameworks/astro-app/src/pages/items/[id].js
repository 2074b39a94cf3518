export function GET({ params }) {
  if (params.id === '0') throw new Error('no such item');
  return new Response('item');
}
