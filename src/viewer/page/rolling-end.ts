import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClusterView } from '../api-types/cluster.ts';
import { now } from './clock.ts';

/** Pixels that the axis moves by while nothing arrives. */
const STEP_PIXELS = 12;
const TRACK_PIXELS = 800;

/** The axis's end: the server's clock at the last answer, and on from there while nothing new comes. */
export function useRollingEnd(data: ClusterView | undefined, rolling: boolean, windowMs: number): number {
  const [end, setEnd] = useState(now());
  const basis = useRef<{ toMs: number; at: number }>(undefined);
  useEffect(() => {
    if (data === undefined) return;
    basis.current = { toMs: data.toMs, at: performance.now() };
    setEnd(data.toMs);
  }, [data]);
  useEffect(() => {
    if (!rolling) return;
    // A step that can be seen and no more: moving all lanes for less than a pixel would keep a processor
    // busy.
    const everyMs = Math.max(1000, (windowMs / TRACK_PIXELS) * STEP_PIXELS);
    const timer = setInterval(() => {
      if (basis.current === undefined || document.hidden) return;
      setEnd(basis.current.toMs + performance.now() - basis.current.at);
    }, everyMs);
    return () => clearInterval(timer);
  }, [rolling, windowMs]);
  return end;
}
