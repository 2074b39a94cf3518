/**
 * As much of npm's version ranges as packages of OpenTelemetry write: `^1.3.0`, `>=1.10.0 <1.11.0`,
 * `^18.19.0 || >=20.6.0`.
 */
export function isInRange(version: string, range: string): boolean {
  const found = numbersOf(version);
  return range.split('||').some((set) =>
    set
      .trim()
      .split(/\s+/)
      .every((comparator) => isWithin(found, comparator)),
  );
}

type Numbers = readonly [number, number, number];

function numbersOf(version: string): Numbers {
  const [major = 0, minor = 0, patch = 0] = (/\d+(\.\d+){0,2}/.exec(version)?.[0] ?? '').split('.').map(Number);
  return [major, minor, patch];
}

function compare(a: Numbers, b: Numbers): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function isWithin(version: Numbers, comparator: string): boolean {
  const [, operator = '', text = ''] = /^([<>=~^]*)v?(.*)$/.exec(comparator) ?? [];
  // `*`, `x`, nothing: any.
  if (!/^\d/.test(text)) return true;
  const bound = numbersOf(text);
  const order = compare(version, bound);
  switch (operator) {
    case '>=':
      return order >= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '~':
      return order >= 0 && version[0] === bound[0] && version[1] === bound[1];
    case '^':
      return order >= 0 && compare(version, endOfCaret(bound)) < 0;
    default:
      return order === 0;
  }
}

/** The leftmost number that is not 0 stays. */
function endOfCaret([major, minor, patch]: Numbers): Numbers {
  if (major > 0) return [major + 1, 0, 0];
  return minor > 0 ? [0, minor + 1, 0] : [0, 0, patch + 1];
}
