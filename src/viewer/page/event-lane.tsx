import type { ClusterView } from '../api-types/cluster.ts';
import { formatDuration } from '../format.ts';

/** What the whole cluster did, in a lane above those of the workers. */
export function EventLane({ data, fromMs, toMs }: { data: ClusterView; fromMs: number; toMs: number }) {
  const place = (ms: number) => Math.min(100, Math.max(0, ((ms - fromMs) / (toMs - fromMs)) * 100));
  return (
    <div class="lane events">
      <span class="who muted">cluster</span>
      <div class="track">
        {data.events
          .filter((event) => event.endMs >= fromMs)
          .map((event) => (
            <a
              key={event.traceId + event.startMs}
              href={`/traces/${event.traceId}`}
              class={`cluster-event ${event.error ? 'error' : ''} ${place(event.endMs) > 85 ? 'left' : ''}`}
              style={{
                left: `${place(event.startMs)}%`,
                width: `max(8px, ${place(event.endMs) - place(event.startMs)}%)`,
              }}
              title={`${event.name}, ${formatDuration(event.endMs - event.startMs)}`}
            >
              <span>{event.name.replace('cluster.', '')}</span>
            </a>
          ))}
      </div>
      <span />
    </div>
  );
}
