import { Graph, layout } from '@dagrejs/dagre';
import type { MapCallView, MapNodeView } from '../api-types/service-map.ts';

export const NODE_WIDTH = 190;
export const NODE_HEIGHT = 58;

interface Point {
  x: number;
  y: number;
}

export interface MapLayout {
  width: number;
  height: number;
  /** Centres, by id. */
  nodes: ReadonlyMap<string, Point>;
  /** The way of each call, in the order of `calls`. */
  ways: Point[][];
}

/** Callers to the left of what they call. */
export function mapLayout(nodes: readonly MapNodeView[], calls: readonly MapCallView[]): MapLayout {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'LR', nodesep: 26, ranksep: 150, marginx: 14, marginy: 14 });
  graph.setDefaultEdgeLabel(() => ({}));
  // By name, so that a node keeps its place while its figures change.
  for (const { id } of nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  }
  for (const { from, to } of calls.toSorted((a, b) => (a.from + a.to < b.from + b.to ? -1 : 1))) {
    graph.setEdge(from, to);
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    nodes: new Map(nodes.map(({ id }) => [id, graph.node(id) as unknown as Point])),
    ways: calls.map(({ from, to }) => {
      const [source, target] = [graph.node(from), graph.node(to)] as unknown as [Point, Point];
      const { points } = graph.edge(from, to) as unknown as { points: Point[] };
      return [
        { x: source.x + NODE_WIDTH / 2, y: source.y },
        // The outer ones are where a straight line would meet the nodes; what is between leads around others.
        ...points.slice(2, -2),
        { x: target.x - NODE_WIDTH / 2, y: target.y },
      ];
    }),
  };
}

/** Where along the last stretch of a call its figures stand: there calls of one node are furthest apart. */
const LABEL_AT = 0.55;

/** A line that leaves a node to the right and comes to one from the left. */
export function drawnWay(points: readonly Point[]): { path: string; label: Point } {
  let [from] = points as [Point];
  let path = `M${round(from.x)},${round(from.y)}`;
  let label = from;
  for (const to of points.slice(1)) {
    // Level at both ends, however high the step.
    const bend = Math.max(24, Math.abs(to.x - from.x) / 2);
    path += `C${round(from.x + bend)},${round(from.y)} ${round(to.x - bend)},${round(to.y)} ${round(to.x)},${round(to.y)}`;
    label = {
      x: bezier(from.x, from.x + bend, to.x - bend, to.x),
      y: bezier(from.y, from.y, to.y, to.y),
    };
    from = to;
  }
  return { path, label };
}

/** At LABEL_AT of a cubic Bézier curve. */
function bezier(a: number, b: number, c: number, d: number): number {
  const [t, u] = [LABEL_AT, 1 - LABEL_AT];
  return u ** 3 * a + 3 * u * u * t * b + 3 * u * t * t * c + t ** 3 * d;
}

const round = (value: number) => Math.round(value * 10) / 10;
