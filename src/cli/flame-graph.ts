/**
 * A flame graph as lines of text: callers above what they call, as wide as the time that was spent there.
 *
 * @module
 */
import type { Flame } from '../forensics/cpu-profile.js';
import { printable } from '../printable.js';
import { colors } from './colors.js';

/** Of a box: what is narrower has no room for a name. */
const LEAST_WIDTH = 4;

/** @returns no line is wider than `width`, and there are `most` lines at most */
export function flameGraph(root: Flame, width: number, most: number): string[] {
  if (root.totalUs === 0) return ['nothing ran'];
  const lines: string[] = [];
  let row: { flame: Flame; from: number; to: number }[] = [{ flame: root, from: 0, to: width }];
  while (row.length > 0 && lines.length < most) {
    lines.push(drawn(row, lines.length));
    row = row.flatMap(({ flame, from, to }) => {
      const perUs = (to - from) / flame.totalUs;
      let at = from;
      return flame.children.flatMap((child) => {
        const start = at;
        at += child.totalUs * perUs;
        const box = { flame: child, from: start, to: at };
        return Math.round(box.to) - Math.round(box.from) >= LEAST_WIDTH ? [box] : [];
      });
    });
  }
  return lines;
}

function drawn(row: readonly { flame: Flame; from: number; to: number }[], depth: number): string {
  let text = '';
  let at = 0;
  for (const [index, { flame, from, to }] of row.entries()) {
    const start = Math.round(from);
    const wide = Math.round(to) - start;
    text += ' '.repeat(start - at);
    const name = printable(flame.name);
    // A blank between neighbours that have no colour to tell them apart.
    const label = name.length < wide ? name.padEnd(wide - 1, '·') : name.slice(0, wide - 1);
    text += `${(depth + index) % 2 === 0 ? colors.inverse(label) : colors.cyan(label)} `;
    at = start + wide;
  }
  return text.trimEnd();
}

/** The functions with the most time of their own. */
export function hottest(root: Flame, most: number): string[] {
  const times = new Map<string, number>();
  const visit = ({ name, place, selfUs, children }: Flame) => {
    const key = place === '' ? name : `${name} ${place}`;
    if (selfUs > 0) times.set(key, (times.get(key) ?? 0) + selfUs);
    children.forEach(visit);
  };
  visit(root);
  return [...times]
    .sort(([, left], [, right]) => right - left)
    .slice(0, most)
    .map(([key, us]) => `${((100 * us) / root.totalUs).toFixed(1).padStart(5)} %  ${printable(key)}`);
}
