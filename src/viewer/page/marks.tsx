import type { Outcome } from '../api-types.ts';

const SIGNS: Record<Outcome, { sign: string; label: string }> = {
  ok: { sign: '●', label: 'ok' },
  error: { sign: '✕', label: 'error' },
  interrupted: { sign: '✂', label: 'interrupted' },
};

/** How it went, as a shape and a colour. */
export function OutcomeMark({ outcome }: { outcome: Outcome }) {
  const { sign, label } = SIGNS[outcome];
  return (
    <span class={`mark ${outcome}`} role="img" aria-label={label} title={label}>
      {sign}
    </span>
  );
}

/** An HTTP status, coloured by its hundred. */
export function HttpStatus({ status }: { status: number }) {
  return status === 0 ? null : <span class={`status s${Math.floor(status / 100)}`}>{status}</span>;
}

/** A worker slot as a small badge. */
export function SlotBadge({ slot }: { slot: number | undefined }) {
  return slot === undefined ? null : (
    <span class="slot" title={`worker slot ${slot}`}>
      <span class={`dot c${slot % 8}`} />
      {slot}
    </span>
  );
}

export function clock(ms: number): string {
  const date = new Date(ms);
  const pad = (value: number, length = 2) => String(value).padStart(length, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

/** `now`, `12 s`, `5 m`: how long ago. */
export function ago(ms: number, now: number): string {
  const seconds = Math.round((now - ms) / 1000);
  if (seconds < 2) return 'now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}
