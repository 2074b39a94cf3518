/**
 * A flame graph as a page that needs nothing else: callers above what they call, as wide as the time that was
 * spent there. A click on a box widens it to the page, a click on one above it goes back.
 *
 * @module
 */
import type { Flame } from '../forensics/cpu-profile.js';
import { printable } from '../printable.js';

/** What is narrower, of the whole, is seen by nobody: it would only make the page large. */
const LEAST_SHARE = 0.0005;

const STYLE = `
:root { color-scheme: light dark; font: 13px/1.4 system-ui, sans-serif; }
body { margin: 1rem; }
.row { display: flex; }
.box { display: flex; flex-direction: column; min-width: 0; overflow: hidden; }
.box > b { font-weight: normal; font-family: ui-monospace, monospace; font-size: 11px; height: 17px; padding: 0 3px; cursor: pointer;
  overflow: hidden; white-space: nowrap; text-overflow: ellipsis; color: #000; border: solid #fff; border-width: 0 1px 1px 0; }
.app > b { background: #f0a35c; }
.node > b { background: #d8d8d8; }
.hidden { display: none; }
`;

/** Boxes beside the chosen one, and beside what called it, go. */
const SCRIPT = `
document.addEventListener('click', ({ target }) => {
  const chosen = target.closest('.box');
  if (!chosen) return;
  for (const hidden of document.querySelectorAll('.hidden')) hidden.classList.remove('hidden');
  for (let box = chosen; box; box = box.parentElement.closest('.box'))
    for (const other of box.parentElement.children) if (other !== box) other.classList.add('hidden');
});
`;

/** @param title what was profiled, and for how long */
export function flamePage(root: Flame, title: string): string {
  const text = escaped(title);
  const graph = root.totalUs === 0 ? '<p>Nothing ran.</p>' : box(root, root, root.totalUs);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${text}</title>
<style>${STYLE}</style>
<h1 style="font-size: 1.1rem">${text}</h1>
<div class="row">${graph}</div>
<script>${SCRIPT}</script>
</html>
`;
}

function box(flame: Flame, root: Flame, ofUs: number): string {
  const { name, place, selfUs, totalUs, children } = flame;
  const ms = (us: number) => `${(us / 1000).toFixed(1)} ms`;
  const share = ((100 * totalUs) / root.totalUs).toFixed(1);
  const about = `${printable(name)} ${printable(place)}\n${ms(totalUs)}, ${share} %; its own ${ms(selfUs)}`;
  const wide = children.filter((child) => child.totalUs >= LEAST_SHARE * root.totalUs);
  const below = wide.map((child) => box(child, root, totalUs)).join('');
  // What does not come from a file is Node's or V8's.
  const kind = /^(file:|\/|[A-Za-z]:)/.test(place) ? 'app' : 'node';
  return `<div class="box ${kind}" style="flex: ${(totalUs / ofUs).toFixed(5)} 1 0"><b title="${escaped(about)}">${escaped(printable(name))}</b><div class="row">${below}${rest(flame, wide)}</div></div>`;
}

/** The time that is no child's keeps its room. */
function rest({ totalUs }: Flame, children: readonly Flame[]): string {
  const share = 1 - children.reduce((sum, child) => sum + child.totalUs, 0) / totalUs;
  return share > 0 && children.length > 0 ? `<i style="flex: ${share.toFixed(5)} 1 0"></i>` : '';
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
