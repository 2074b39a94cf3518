import type { MetricView } from '../api-types/metrics.ts';
import { formatBytes, formatCount, formatDuration } from '../format.ts';

type Measured = Pick<MetricView, 'name' | 'unit' | 'kind' | 'stat' | 'perSecond'>;

/** A value as it reads best in its unit: `12.3 ms`, `4.2 MiB`, `37 %`, `1,234/s`. */
export function metricFormat(metric: Measured): (value: number) => string {
  const { name, unit, stat, kind } = metric;
  const perSecond = metric.perSecond ? '/s' : '';
  // How many values a histogram took has no unit.
  if ((kind === 'histogram' || kind === 'summary') && stat === 'rate') return (value) => `${formatNumber(value)}/s`;
  if (unit === 's' || unit === 'ms') {
    const factor = unit === 's' ? 1000 : 1;
    return (value) => `${value === 0 ? '0 ms' : formatDuration(value * factor)}${perSecond}`;
  }
  if (unit === 'By') return (value) => `${formatBytes(Math.round(value))}${perSecond}`;
  if (unit === '%') return (value) => `${formatNumber(value)} %`;
  if (unit === '1' && /utili[sz]ation|ratio/.test(name)) return (value) => `${formatNumber(value * 100)} %`;
  return (value) => `${formatNumber(value)}${perSecond}`;
}

/** Three significant digits; from a thousand on as counts are written. */
function formatNumber(value: number): string {
  if (Math.abs(value) >= 1000)
    return value < 0 ? `−${formatCount(-Math.round(value))}` : formatCount(Math.round(value));
  return String(Number(value.toPrecision(3)));
}
