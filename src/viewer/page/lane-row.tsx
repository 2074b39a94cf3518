import type { LaneState, LaneView } from '../api-types/cluster.ts';
import { formatCount, formatDuration, formatRate } from '../format.ts';
import { exitWords } from '../views/exit-words.ts';
import { LaneCanvas } from './lane-canvas.tsx';

const STATES: Record<LaneState, { sign: string; says: string }> = {
  up: { sign: '●', says: 'running' },
  blocked: { sign: '▲', says: 'its event loop is blocked' },
  starting: { sign: '◐', says: 'starting' },
  silent: { sign: '○', says: 'silent: not heard of for a minute' },
  stopped: { sign: '■', says: 'stopped' },
  dead: { sign: '✕', says: 'dead' },
  gone: { sign: '◌', says: 'gone: its process is no longer there, and nobody told how it ended' },
};

interface Props {
  lane: LaneView;
  fromMs: number;
  toMs: number;
  peak: number;
  /** One line, for many workers. */
  flat: boolean;
  height: number;
}

/** One worker: who it is, what it did, and its figures. */
export function LaneRow({ lane, fromMs, toMs, peak, flat, height }: Props) {
  const { stats, state } = lane;
  const current = lane.incarnations.at(-1);
  const lost = stats.spansLost ?? 0;
  const incarnation = current?.incarnation ?? 0;
  const { sign, says } = STATES[state];
  const ended = current?.exit && (state === 'dead' || state === 'stopped') ? exitWords(current.exit) : undefined;
  const death = ended === undefined ? undefined : current?.exit?.deathId;
  const { blocked } = lane;
  const more = ended ?? blocked?.state;
  const saysAll = more === undefined || more === says ? says : `${says}: ${more}`;
  const name =
    lane.slot !== undefined ? `slot ${lane.slot}` : current?.pid === undefined ? lane.service : `pid ${current.pid}`;
  return (
    <section
      class={`lane ${state} ${flat ? 'flat' : ''}`}
      style={{ '--lane': `${height}px` }}
      aria-label={`${lane.service} ${lane.slot === undefined ? `pid ${current?.pid ?? '?'}` : `slot ${lane.slot}`}`}
    >
      <div
        class="who"
        title={`${lane.service} ${name}, incarnation ${incarnation}, pid ${current?.pid ?? 'unknown'}, ${saysAll}`}
      >
        <b>
          <span class={`state ${state}`} role="img" aria-label={saysAll} title={saysAll}>
            {sign}
          </span>
          {name}
        </b>
        {!flat && <span class="muted">{lane.service}</span>}
        {lane.slot !== undefined && current?.pid !== undefined && <span class="muted num">pid {current.pid}</span>}
        {incarnation > 0 && !flat && more === undefined && <span class="muted num">incarnation {incarnation}</span>}
        {!flat && blocked !== undefined && (
          <span class="errors" title={blocked.state}>
            blocked {formatDuration(Math.max(0, toMs - blocked.sinceMs))}: {blocked.state}
          </span>
        )}
        {!flat && (state === 'gone' || state === 'silent' || ended !== undefined) && (
          <span class={state === 'dead' ? 'cut' : 'muted'}>
            {death === undefined ? (ended ?? state) : <a href={`/deaths/${death}`}>{ended}</a>}
          </span>
        )}
      </div>
      <LaneCanvas lane={lane} fromMs={fromMs} toMs={toMs} peak={peak} />
      <dl class="stats">
        <Stat label="rate">{formatRate(stats.rate)}</Stat>
        <Stat label="errors">
          {stats.errors > 0 ? <span class="errors">{formatCount(stats.errors)}</span> : <span class="muted">0</span>}
          {stats.interrupted > 0 && <span class="cut"> {stats.interrupted} ✂</span>}
        </Stat>
        <Stat label="p50">{stats.p50Ms === undefined ? '–' : formatDuration(stats.p50Ms)}</Stat>
        <Stat label="p95">{stats.p95Ms === undefined ? '–' : formatDuration(stats.p95Ms)}</Stat>
        <Stat label="p99">{stats.p99Ms === undefined ? '–' : formatDuration(stats.p99Ms)}</Stat>
        <Stat label="loop">{stats.utilization === undefined ? '–' : `${Math.round(stats.utilization * 100)} %`}</Stat>
        <Stat
          label="spans"
          title={`received ${stats.spansReceived}, journaled ${stats.spansJournaled ?? 'unknown'}, lost ${stats.spansLost ?? 'unknown'}`}
        >
          {formatCount(stats.spansReceived)}
          {lost > 0 && <span class="errors"> −{formatCount(lost)}</span>}
        </Stat>
      </dl>
    </section>
  );
}

function Stat({ label, title, children }: { label: string; title?: string; children: preact.ComponentChildren }) {
  return (
    <div title={title}>
      <dt>{label}</dt>
      <dd class="num">{children}</dd>
    </div>
  );
}
