import { useEffect, useRef } from 'preact/hooks';

/** Colours of the current theme, as the style sheet has them. */
export interface Palette {
  text: string;
  muted: string;
  line: string;
  surface: string;
  band: string;
  ok: string;
  error: string;
  interrupted: string;
  accent: string;
}

export function palette(element: Element): Palette {
  const style = getComputedStyle(element);
  const get = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: get('text'),
    muted: get('muted'),
    line: get('line'),
    surface: get('surface'),
    band: get('band'),
    ok: get('ok'),
    error: get('error'),
    interrupted: get('interrupted'),
    accent: get('accent'),
  };
}

export type Draw = (context: CanvasRenderingContext2D, width: number, height: number, colors: Palette) => void;

/** A canvas in the device's own pixels that draws again on each render, resize and change of theme. */
export function useCanvas(draw: Draw) {
  const ref = useRef<HTMLCanvasElement>(null);
  const latest = useRef(draw);
  latest.current = draw;
  const paint = useRef(() => {
    const canvas = ref.current;
    if (canvas === null) return;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext('2d')!;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    latest.current(context, width, height, palette(canvas));
  });
  useEffect(() => {
    const repaint = paint.current;
    const observer = new ResizeObserver(repaint);
    observer.observe(ref.current!);
    const theme = new MutationObserver(repaint);
    theme.observe(document.documentElement, { attributes: true });
    const scheme = matchMedia('(prefers-color-scheme: dark)');
    scheme.addEventListener('change', repaint);
    return () => {
      observer.disconnect();
      theme.disconnect();
      scheme.removeEventListener('change', repaint);
    };
  }, []);
  useEffect(() => paint.current());
  return ref;
}

/** Round steps for an axis of `span` units with about `wanted` ticks: 1, 2, 5 × 10ⁿ. */
export function axisStep(span: number, wanted: number): number {
  const raw = span / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const factor = raw / power;
  return (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10) * power;
}
