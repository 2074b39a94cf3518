import type { Outcome } from '../api-types/outcome.ts';

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

/** `0`, `0.4 %`, `12 %`. */
export function ErrorShare({ errors, all }: { errors: number; all: number }) {
  if (errors === 0) return <span class="muted">0</span>;
  const share = (errors / all) * 100;
  return <span class="errors">{share < 0.1 ? '<0.1' : share.toFixed(share < 10 ? 1 : 0)} %</span>;
}
