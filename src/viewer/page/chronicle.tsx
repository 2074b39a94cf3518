import type { ClusterView, IncarnationView, LaneView } from '../api-types/cluster.ts';
import type { Outcome } from '../api-types/outcome.ts';
import { counted, formatDuration } from '../format.ts';
import { exitWords, isPlannedExit } from '../views/exit-words.ts';
import { ago, clock } from './clock.ts';
import { OutcomeMark } from './marks.tsx';

const MAX_ENTRIES = 100;

interface Entry {
  atMs: number;
  who: string;
  what: string;
  traceId?: string;
  deathId?: string;
  outcome: Outcome;
}

/** What happened in words, newest first: for reading, searching, and for those who do not see the lanes. */
export function Chronicle({ data }: { data: ClusterView }) {
  const services = new Set(data.lanes.map((lane) => lane.service));
  const many = services.size > 1;
  const entries = data.lanes.flatMap((lane) => lane.incarnations.flatMap((life) => lifeEntries(lane, life, many)));
  for (const event of data.events) {
    entries.push({
      atMs: event.startMs,
      who: many ? event.service : 'cluster',
      what: `${event.name.replace('cluster.', '')} took ${formatDuration(event.endMs - event.startMs)}`,
      traceId: event.traceId,
      outcome: event.error ? 'error' : 'ok',
    });
  }
  const shown = entries.filter((entry) => entry.atMs >= data.fromMs).sort((a, b) => b.atMs - a.atMs);
  if (shown.length === 0) return null;
  return (
    <section class="chronicle">
      <h2>What happened</h2>
      <ol>
        {shown.slice(0, MAX_ENTRIES).map((entry) => (
          <li key={`${entry.who}${entry.atMs}${entry.what}`}>
            <span class="num muted" title={ago(entry.atMs, data.toMs)}>
              {clock(entry.atMs)}
            </span>
            <b>{entry.who}</b>
            <span>
              {entry.outcome !== 'ok' && <OutcomeMark outcome={entry.outcome} />} {entry.what}{' '}
              {entry.traceId && <a href={`/traces/${entry.traceId}`}>trace</a>}{' '}
              {entry.deathId && <a href={`/deaths/${entry.deathId}`}>why</a>}
            </span>
          </li>
        ))}
      </ol>
      {shown.length > MAX_ENTRIES && (
        <p class="muted">and {counted(shown.length - MAX_ENTRIES, 'earlier entry', 'earlier entries')}</p>
      )}
    </section>
  );
}

/** @param many services are in sight: a slot alone does not say which */
function lifeEntries(lane: LaneView, life: IncarnationView, many: boolean): Entry[] {
  const place = lane.slot === undefined ? `pid ${life.pid}` : `slot ${lane.slot}`;
  const who = many ? `${lane.service} ${place}` : place;
  const entries: Entry[] = [];
  if (life.startMs !== undefined) {
    const boot =
      life.readyMs === undefined ? 'forked' : `started, ready after ${formatDuration(life.readyMs - life.startMs)}`;
    entries.push({ atMs: life.startMs, who, what: `${boot} (pid ${life.pid})`, outcome: 'ok' });
  }
  const { exit } = life;
  if (exit === undefined) {
    if (life.endMs !== undefined) {
      entries.push({
        atMs: life.endMs,
        who,
        what: `last heard of (pid ${life.pid}); ${lane.state === 'silent' ? 'silent since' : 'nobody told how it ended'}`,
        outcome: 'ok',
      });
    }
    return entries;
  }
  const planned = isPlannedExit(exit);
  const words = exitWords(exit);
  const how = [
    planned ? (words === 'stopped' ? 'stopped as planned' : words) : `died: ${words}`,
    // The cause alone does not say it.
    !planned && exit.signal !== undefined && words !== exit.signal ? `, ${exit.signal}` : '',
  ].join('');
  const parts = [`${how} (pid ${life.pid})`];
  if (exit.requestsInterrupted) parts.push(`${counted(exit.requestsInterrupted, 'request')} interrupted`);
  if (exit.spansRecovered) parts.push(`${counted(exit.spansRecovered, 'span')} recovered from its journal`);
  entries.push({
    atMs: exit.atMs,
    who,
    what: parts.join(', '),
    traceId: exit.traceId,
    deathId: exit.deathId,
    outcome: planned ? 'ok' : 'interrupted',
  });
  return entries;
}
