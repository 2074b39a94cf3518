import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathSegment } from '#src/process/path-segment.js';

test('each name is a path segment of its own, that stays in its directory', () => {
  const names = [
    ...[
      'shop',
      'a/b',
      'a_b',
      'a%2Fb',
      '@shop/cart',
      '订单',
      '用户',
      '..',
      '.',
      '.x',
      '%2E.',
      'a b',
      'a\\b',
      'a\0b',
      '😀',
      '😁',
    ],
    ...['x'.repeat(300), `${'x'.repeat(300)}y`, `${'/'.repeat(99)}`, '/'.repeat(98)],
  ];
  const segments = names.map(pathSegment);
  assert.equal(new Set(segments).size, names.length, segments.join(' '));
  for (const segment of segments) assert.match(segment, /^[\w%~-][\w.%~-]{0,99}$/);
  assert.equal(segments[0], 'shop');
});
