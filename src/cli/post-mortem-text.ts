/**
 * A death as text: one screen that says why a process died, what it was doing, and how its last minute was.
 *
 * @module
 */
import { describeExitCause } from '../forensics/exit-cause.js';
import type { LogInBrief, SpanInBrief } from '../forensics/in-brief.js';
import { framesOf } from '../forensics/own-end.js';
import type { PostMortem } from '../forensics/post-mortem.js';
import { printable } from '../printable.js';
import { formatBytes, formatDuration } from '../viewer/format.js';
import { lastMinuteRows } from '../viewer/views/last-minute.js';
import { levelOf } from '../wire/level.js';
import { colors } from './colors.js';

const BARS = '▁▂▃▄▅▆▇█';
const STACK_LINES = 12;
const WORDS_LINES = 12;
const LOG_LINES = 10;
const SPANS = 5;
/** OpenTelemetry's severity number of `error`. */
const SEVERITY_ERROR = 17;
/** A screen of 80 columns. */
const WIDTH = 80;

/** One line per death, the newest first. */
export function deathLine({ id, atMs, slot, pid, cause, inFlightTotal }: PostMortem): string {
  const who = slot === undefined ? `pid ${pid}` : `slot ${slot} (pid ${pid})`;
  return `${id}  ${new Date(atMs).toISOString()}  ${who}  ${cause}  ${inFlightTotal} in flight\n`;
}

export function postMortemText(death: PostMortem): string {
  return [
    ...head(death),
    ...whatRan(death),
    ...requests(death),
    ...lastMinute(death),
    ...lastWords(death),
    ...lastLogs(death),
    ...heapSnapshots(death),
    ...spans(death),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function head(death: PostMortem): string[] {
  const { service, slot, pid, atMs, cause, code, signal } = death;
  const who = slot === undefined ? `process ${pid}` : `worker in slot ${slot}, pid ${pid}`;
  const exit = signal ? `signal ${signal}` : code === null ? 'exit code not known' : `exit code ${code}`;
  return [
    colors.bold(printable(`${service}: ${who} died at ${new Date(atMs).toISOString()}`)),
    `  ${colors.red(cause)}, ${exit}: ${describeExitCause(cause)}`,
  ];
}

function whatRan({ record, block }: PostMortem): string[] {
  const lines: string[] = [];
  if (record?.exceptionType !== undefined || record?.message !== undefined) {
    const title = [record.exceptionType, record.message].filter((part) => part !== undefined).join(': ');
    lines.push('', section('Exception'), `  ${printable(title, WIDTH * 2)}`, ...stackLines(framesOf(record.stack)));
  } else if (block !== undefined) {
    lines.push('', section('What it was doing'), `  it ${printable(block.state)}`, ...stackLines(block.stack));
  }
  return lines;
}

function stackLines(stack: string | undefined): string[] {
  const lines = (stack ?? '').split('\n').filter((line) => line.trim() !== '');
  const more = lines.length - STACK_LINES;
  return [
    ...lines.slice(0, STACK_LINES).map((line) => `    ${printable(line, WIDTH * 2)}`),
    ...(more > 0 ? [`    … ${more} more frames`] : []),
  ];
}

function requests({ inFlight, inFlightTotal }: PostMortem): string[] {
  if (inFlightTotal === 0) return ['', section('In flight'), '  nothing'];
  const isLater = ({ role }: (typeof inFlight)[number]) => Number(role !== 'culprit');
  const sorted = inFlight.toSorted((a, b) => isLater(a) - isLater(b));
  const isKnown = inFlight.some(({ role }) => role === 'culprit');
  const title = isKnown ? `In flight: ${inFlightTotal}, culprit first` : `In flight: ${inFlightTotal}`;
  const shown = sorted.slice(0, SPANS + 1);
  return [
    '',
    section(title),
    ...shown.map((span) => `  ${(span.role ?? '').padEnd(8)} ${brief(span)}`),
    ...(inFlightTotal > shown.length ? [`  … ${inFlightTotal - shown.length} more`] : []),
  ];
}

function lastMinute({ vitals, atMs }: PostMortem): string[] {
  if (vitals === undefined)
    return ['', section('Last minute'), '  not known: it ended before its first second was over'];
  const { last } = vitals;
  const age = formatDuration(Math.max(0, atMs - last.atMs));
  const { cgroupUsed, cgroupLimit } = last;
  return [
    '',
    section(`Last minute (the last numbers are ${age} older than the death)`),
    ...lastMinuteRows(vitals).map(
      ({ name, values, last }) => `  ${name.padEnd(10)} ${sparkline(values.slice(-40)).padEnd(40)} ${last}`,
    ),
    ...(cgroupLimit > 0
      ? [`  memory     ${formatBytes(cgroupUsed)} of the control group's ${formatBytes(cgroupLimit)}`]
      : []),
  ];
}

/** One character per value, from 0 to the largest. */
export function sparkline(values: readonly number[]): string {
  const most = Math.max(...values, 0);
  return values.map((value) => BARS[most === 0 ? 0 : Math.min(7, Math.floor((value / most) * 8))]).join('');
}

function lastWords({ lastWords }: PostMortem): string[] {
  if (lastWords === undefined) return [];
  const lines = lastWords.split('\n').filter((line) => line.trim() !== '');
  return ['', section('Last words'), ...lines.slice(-WORDS_LINES).map((line) => `  ${printable(line, WIDTH * 2)}`)];
}

function lastLogs({ lastLogs = [] }: PostMortem): string[] {
  if (lastLogs.length === 0) return [];
  return ['', section('Last log records'), ...lastLogs.slice(-LOG_LINES).map(logLine)];
}

function logLine({ timeMs, severity, severityText, body, attributes, traceId }: LogInBrief): string {
  const time = new Date(timeMs).toISOString().slice(11, -1);
  const level = (levelOf(severity) || printable(severityText, 5)).padEnd(5);
  const text = [body, attributes].filter((part) => part !== '').join(' ');
  const line = `  ${time} ${level} ${printable(text, WIDTH * 2)}${traceId === '' ? '' : `  ${traceId}`}`;
  return severity >= SEVERITY_ERROR ? colors.red(line) : line;
}

function heapSnapshots({ heapSnapshots = [] }: PostMortem): string[] {
  if (heapSnapshots.length === 0) return [];
  return ['', section('Heap snapshots'), ...heapSnapshots.map((path) => `  ${printable(path, WIDTH * 4)}`)];
}

function spans({ lastSpans, slowestSpans }: PostMortem): string[] {
  if (lastSpans.length === 0) return [];
  return [
    '',
    section('Slowest spans before'),
    ...slowestSpans.slice(0, SPANS).map((span) => `  ${brief(span)}`),
    '',
    section('Last spans'),
    ...lastSpans.slice(0, SPANS).map((span) => `  ${brief(span)}`),
  ];
}

function brief({ name, durationMs, traceId, error }: SpanInBrief): string {
  const text = `${printable(name, 40).padEnd(28)} ${formatDuration(durationMs).padStart(8)}  ${traceId}`;
  return error ? colors.red(text) : text;
}

function section(title: string): string {
  return colors.bold(title);
}
