import { useEffect, useRef, useState } from 'preact/hooks';
import type { StateView } from '../api-types/state.ts';
import { formatBytes, formatCount } from '../format.ts';
import { withPrefix } from './prefix.ts';

const KEYS: [string, string][] = [
  ['1 … 7', 'Traces, Cluster, Routes, Map, Metrics, Logs, Deaths'],
  ['/', 'Search'],
  ['↑ ↓ or j k', 'Move in a list, a tree, a lane'],
  ['Enter', 'Open'],
  ['← →', 'Fold and unfold a span; the requests of a lane'],
  ['e', 'Next failing span'],
  ['c', 'Critical path'],
  ['+ − 0', 'Zoom in, out, all of it'],
  ['Space', 'Hold traces or the cluster still'],
  ['l', 'Live again: catch up with what is new'],
  ['Esc', 'Back, close, clear'],
  ['t', 'Light, dark, as the system'],
  ['?', 'This'],
];

export function Help({ state, close }: { state: StateView | undefined; close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click beside it closes it; so does Esc
    <dialog
      ref={dialog}
      class="help"
      aria-labelledby="help-title"
      onClose={close}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <div>
        <h2 id="help-title">Keys</h2>
        <dl class="keys">
          {KEYS.map(([key, meaning]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        {state && (
          <>
            <h2>Send here</h2>
            <p class="mono">OTLP/gRPC {state.otlpGrpcUrl}</p>
            <p class="mono">OTLP/HTTP {state.otlpHttpUrl}</p>
            <h2>Held</h2>
            <p>
              {formatCount(state.spans)} spans of {formatCount(state.received)} received, {formatBytes(state.bytes)} of{' '}
              {formatBytes(state.limits.maxBytes)}; {formatCount(state.evictedSpans)} made room for newer ones,{' '}
              {formatCount(state.overflow)} were more than one trace may hold, {formatCount(state.duplicates)} came
              twice, {formatCount(state.refused)} requests were malformed
              {state.unwritten ? `, ${formatCount(state.unwritten)} could not be written to the file` : ''}.
            </p>
            <p class="muted">forktrace {state.version}</p>
          </>
        )}
        <p class="muted">Drop a file of OTLP (JSON or protobuf) on the page to open it.</p>
        <div class="tools">
          <ClearButton />
        </div>
        <button type="button" onClick={close}>
          Close
        </button>
      </div>
    </dialog>
  );
}

/** Asks once more: what is cleared is gone. */
function ClearButton() {
  const [sure, setSure] = useState(false);
  const clear = async () => {
    if (!sure) return setSure(true);
    await fetch(withPrefix('/api/clear'), { method: 'POST' });
    setSure(false);
  };
  return (
    <button type="button" onClick={clear} onBlur={() => setSure(false)}>
      {sure ? 'Really clear all data?' : 'Clear all data'}
    </button>
  );
}
