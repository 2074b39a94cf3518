/** Times of day, in the zone that is chosen: the browser's own, or UTC as logs have it. */
export type Zone = 'local' | 'UTC';

const KEY = 'forktrace.zone';

export function zone(): Zone {
  return localStorage.getItem(KEY) === 'UTC' ? 'UTC' : 'local';
}

export function nextZone(): Zone {
  const next = zone() === 'local' ? 'UTC' : 'local';
  localStorage.setItem(KEY, next);
  return next;
}

let aheadMs = 0;

/** Tells the viewer's time: the browser may be on another machine. */
export function setViewerTime(ms: number): void {
  aheadMs = ms - Date.now();
}

/** By the viewer's clock. */
export function now(): number {
  return Date.now() + aheadMs;
}

interface Parts {
  day: string;
  time: string;
  milliseconds: string;
}

/** A date that reads as UTC what the chosen zone shows. */
function shifted(ms: number): Date {
  return new Date(zone() === 'UTC' ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
}

function parts(ms: number): Parts {
  const date = shifted(ms);
  if (Number.isNaN(date.getTime())) return { day: '', time: '–', milliseconds: '' };
  const iso = date.toISOString();
  return { day: iso.slice(0, 10), time: iso.slice(11, 19), milliseconds: iso.slice(20, 23) };
}

/** `12:34:56.789`, with the day before it when that is not today. */
export function clock(ms: number): string {
  const { day, time, milliseconds } = parts(ms);
  return `${dayBefore(day)}${time}.${milliseconds}`;
}

/** `12:34:56`, likewise. */
export function clockSeconds(ms: number): string {
  const { day, time } = parts(ms);
  return `${dayBefore(day)}${time}`;
}

function dayBefore(day: string): string {
  return day === '' || day === parts(now()).day ? '' : `${day} `;
}

/** `now`, `12 s`, `5 m`: how long ago, at `atMs` or now. */
export function ago(ms: number, atMs = now()): string {
  const seconds = Math.round((atMs - ms) / 1000);
  if (seconds < -1) return clockSeconds(ms);
  if (seconds < 2) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/**
 * Milliseconds of an address as a field for date and time takes them, in the chosen zone; '' when there is
 * none.
 */
export function toInput(ms: string): string {
  const date = ms === '' ? undefined : shifted(Number(ms));
  return date === undefined || Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 23);
}

/** The other way round. */
export function fromInput(text: string): string {
  const ms = Date.parse(zone() === 'UTC' ? `${text}Z` : text);
  return Number.isNaN(ms) ? '' : String(ms);
}
