/**
 * CPU profiles, in V8's format, which `.cpuprofile` files have.
 * https://chromedevtools.github.io/devtools-protocol/v8/Profiler/#type-Profile
 *
 * @module
 */
import type { InspectorSession } from './inspector-client.js';

export interface ProfileNode {
  id: number;
  callFrame: { functionName: string; scriptId: string; url: string; lineNumber: number; columnNumber: number };
  hitCount?: number;
  children?: number[];
  [other: string]: unknown;
}

export interface CpuProfile {
  nodes: ProfileNode[];
  /** In microseconds. */
  startTime: number;
  endTime: number;
  /** Ids of nodes; `timeDeltas` has the microseconds before each. */
  samples: number[];
  timeDeltas: number[];
}

const SAMPLE_EVERY_US = 1000;

/**
 * @param closeAfterMs closes the inspector after that many milliseconds in any case, because the profiling
 * process may be killed; undefined: it stays open
 */
export async function takeProfile(
  session: InspectorSession,
  ms: number,
  closeAfterMs: number | undefined,
): Promise<CpuProfile> {
  if (closeAfterMs !== undefined) {
    // Only the inspector that this call has opened, not one that a user has opened since.
    await session.evaluate(`(() => {
      const inspector = process.getBuiltinModule('node:inspector');
      const ours = inspector.url();
      setTimeout(() => inspector.url() === ours && inspector.close(), ${closeAfterMs}).unref();
    })()`);
  }
  await session.call('Profiler.enable');
  await session.call('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
  await session.call('Profiler.start');
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { profile } = await session.call('Profiler.stop');
  return checked(profile);
}

function checked(value: unknown): CpuProfile {
  const { nodes, samples, timeDeltas, startTime, endTime } = (value ?? {}) as Partial<CpuProfile>;
  const isSound =
    Array.isArray(nodes) &&
    nodes.length > 0 &&
    nodes.every(({ id, callFrame }) => Number.isInteger(id) && typeof callFrame?.functionName === 'string') &&
    Array.isArray(samples) &&
    Array.isArray(timeDeltas) &&
    samples.length === timeDeltas.length &&
    Number.isFinite(startTime) &&
    Number.isFinite(endTime);
  if (!isSound) throw new Error('the process did not answer with a profile');
  return { nodes: nodes!, samples: samples!, timeDeltas: timeDeltas!, startTime: startTime!, endTime: endTime! };
}

/**
 * One profile of several processes. Each process has a top node of its own, and they follow one another in
 * time.
 */
export function mergeProfiles(parts: readonly { name: string; profile: CpuProfile }[]): CpuProfile {
  if (parts.length === 1) return parts[0]!.profile;
  const root: ProfileNode = { id: 1, callFrame: { ...NO_FRAME, functionName: '(root)' }, hitCount: 0, children: [] };
  const merged: CpuProfile = { nodes: [root], startTime: 0, endTime: 0, samples: [], timeDeltas: [] };
  let next = 2;
  for (const { name, profile } of parts) {
    const ids = new Map<number, number>();
    for (const { id } of profile.nodes) ids.set(id, next++);
    for (const [index, node] of profile.nodes.entries()) {
      const callFrame = index === 0 ? { ...NO_FRAME, functionName: name } : node.callFrame;
      merged.nodes.push({
        ...node,
        id: ids.get(node.id)!,
        callFrame,
        ...(node.children && { children: node.children.map((child) => ids.get(child)!) }),
      });
    }
    root.children!.push(ids.get(profile.nodes[0]!.id)!);
    for (const sample of profile.samples) merged.samples.push(ids.get(sample) ?? 1);
    for (const delta of profile.timeDeltas) merged.timeDeltas.push(delta);
    merged.endTime += profile.endTime - profile.startTime;
  }
  return merged;
}

const NO_FRAME = { scriptId: '0', url: '', lineNumber: -1, columnNumber: -1 };

/**
 * A function with the time that was spent in it and in the functions that it called. Callees are sorted by
 * that time.
 */
export interface Flame {
  name: string;
  /** `file:line`; empty for a built-in function. */
  place: string;
  totalUs: number;
  selfUs: number;
  children: Flame[];
}

/** The profile as a tree, without idle time. */
export function flameOf({ nodes, samples, timeDeltas }: CpuProfile): Flame {
  const self = new Map<number, number>();
  for (const [index, sample] of samples.entries()) {
    self.set(sample, (self.get(sample) ?? 0) + Math.max(0, timeDeltas[index]!));
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const build = ({ id, callFrame, children = [] }: ProfileNode): Flame => {
    const { functionName, url, lineNumber } = callFrame;
    const selfUs = functionName === '(idle)' ? 0 : (self.get(id) ?? 0);
    const flames = children
      .map((child) => build(byId.get(child)!))
      .filter(({ totalUs }) => totalUs > 0)
      .sort((left, right) => right.totalUs - left.totalUs);
    return {
      name: functionName || '(anonymous)',
      place: url === '' ? '' : `${url.replace(/^file:\/\//, '')}:${lineNumber + 1}`,
      totalUs: flames.reduce((sum, { totalUs }) => sum + totalUs, selfUs),
      selfUs,
      children: flames,
    };
  };
  return build(nodes[0]!);
}
