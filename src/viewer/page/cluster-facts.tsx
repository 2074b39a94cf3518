import type { LaneView } from '../api-types/cluster.ts';
import { counted, formatCount, formatRate } from '../format.ts';
import { isPlannedExit } from '../views/exit-words.ts';

/** The lanes of the cluster in numbers. */
export function ClusterFacts({ lanes, fromMs }: { lanes: LaneView[]; fromMs: number }) {
  const sum = (value: (lane: LaneView) => number) => lanes.reduce((total, lane) => total + value(lane), 0);
  const running = lanes.filter(({ state }) => state === 'up' || state === 'blocked' || state === 'starting').length;
  const interrupted = sum((lane) => lane.stats.interrupted);
  const deaths = lanes
    .flatMap((lane) => lane.incarnations)
    .filter(({ exit }) => exit !== undefined && !isPlannedExit(exit) && exit.atMs >= fromMs).length;
  return (
    <p class="facts">
      <span class={running === 0 && lanes.length > 0 ? 'errors' : ''}>
        <b class="num">{running}</b>
        {running < lanes.length && ` of ${lanes.length}`} {lanes.length === 1 ? 'worker' : 'workers'} running
      </span>
      <span>
        <b class="num">{formatRate(sum((lane) => lane.stats.rate))}</b> requests
      </span>
      <span class={deaths > 0 ? 'errors' : 'muted'}>
        <b class="num">{deaths}</b> {deaths === 1 ? 'death' : 'deaths'}
      </span>
      <span class={interrupted > 0 ? 'cut' : 'muted'}>
        <b class="num">{formatCount(interrupted)}</b> interrupted
      </span>
      <span class="muted wide">
        {counted(
          sum((lane) => lane.stats.requests),
          'request',
        )}{' '}
        in view
      </span>
    </p>
  );
}
