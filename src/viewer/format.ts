/** Three significant digits, in the unit that reads best: `840 µs`, `12.3 ms`, `1.52 s`, `2 m 05 s`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  const value = Math.max(0, ms);
  if (value < 0.9995) return `${digits(value * 1000)} µs`;
  if (value < 999.5) return `${digits(value)} ms`;
  if (value < 59_995) return `${digits(value / 1000)} s`;
  const seconds = Math.round(value / 1000);
  const pad = (n: number) => String(n).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor((seconds % 3600) / 60))} m`;
}

/** `0`, `4.21`, `42.1`, `421`. */
function digits(value: number): string {
  if (value === 0) return '0';
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return trim(value.toFixed(1));
  return trim(value.toFixed(2));
}

function trim(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** `1,234`, `12.3k`, `4.5M`. */
export function formatCount(count: number): string {
  if (count < 10_000) return count.toLocaleString('en');
  if (count < 1_000_000) return `${trim((count / 1000).toFixed(1))}k`;
  return `${trim((count / 1_000_000).toFixed(1))}M`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${trim((bytes / 1024).toFixed(1))} KiB`;
  return `${trim((bytes / 1024 / 1024).toFixed(1))} MiB`;
}

/** `1 span`, `1,234 spans`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** `1,240/s`, `4.2/s`, `12/min`. */
export function formatRate(perSecond: number): string {
  if (perSecond >= 100) return `${formatCount(Math.round(perSecond))}/s`;
  if (perSecond >= 0.95) return `${perSecond.toFixed(1)}/s`;
  return `${trim((perSecond * 60).toFixed(perSecond * 60 >= 10 ? 0 : 1))}/min`;
}
