/** What the marks of a lane mean. */
export function LaneKey() {
  const keys = [
    ['k-ok', 'request'],
    ['k-error', 'failed'],
    ['k-cut', 'interrupted by a death'],
    ['k-boot', 'booting'],
    ['k-death', 'death'],
    ['k-block', 'event loop blocked now'],
  ] as const;
  return (
    <p class="lane-key" aria-hidden="true">
      {keys.map(([mark, says]) => (
        <span key={mark}>
          <i class={mark} /> {says}
        </span>
      ))}
      <span>● running ▲ blocked ■ stopped ✕ dead ◌ gone without a word</span>
      <span>a busy lane: requests per moment as columns, their p95 as a line from 0.1 ms to 10 s</span>
    </p>
  );
}
