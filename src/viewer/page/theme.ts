/** Light, dark, or as the system has it. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'forktrace.theme';
const ORDER: Theme[] = ['system', 'light', 'dark'];

export function theme(): Theme {
  const stored = localStorage.getItem(KEY) as Theme | null;
  return stored !== null && ORDER.includes(stored) ? stored : 'system';
}

export function applyTheme(): void {
  const chosen = theme();
  if (chosen === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset.theme = chosen;
}

export function nextTheme(): Theme {
  const next = ORDER[(ORDER.indexOf(theme()) + 1) % ORDER.length]!;
  localStorage.setItem(KEY, next);
  applyTheme();
  return next;
}
