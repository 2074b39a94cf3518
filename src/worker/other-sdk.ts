import { warn } from '../warn.js';

/** OpenTelemetry's own preload, in a `--require` or `--import` of a command line. */
const OTHER_PRELOAD = /--(?:require|import|r)[= ](@opentelemetry\/auto-instrumentations-node\/register\S*)/;

/** OpenTelemetry's own preload of this process, whether it has been loaded or comes after ours. */
export function otherPreload(): string | undefined {
  return OTHER_PRELOAD.exec([...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' '))?.[1];
}

/** Where the API has refused it: what is registered first stays. */
export function warnOfRefusedSdk(): void {
  warn(
    'FORKTRACE_REGISTERED_TWICE',
    'The app starts another OpenTelemetry SDK after forktrace: it is not used, and its processors and exporters get no spans. Remove its start, or give them to forktrace (spanProcessors, exporter).',
  );
}

/**
 * Two SDKs in one process are a mistake that otherwise shows as missing or doubled spans.
 *
 * @param kept what of the other one's stays in use
 */
export function warnOfOtherSdk(kept: readonly string[] = ['tracer provider']): void {
  const preload = otherPreload();
  const advice =
    preload === undefined
      ? 'Remove one of the two: forktrace/register enables the instrumentations that are installed, so that no span of a database or a framework is lost without the other SDK.'
      : `Remove ${preload} from the command line and leave the package installed: forktrace/register enables the same instrumentations, so that no span of a database or a framework is lost.`;
  warn(
    'FORKTRACE_REGISTERED_TWICE',
    `Another OpenTelemetry SDK is registered in this process; its ${kept.join(', ')} stay${kept.length > 1 ? '' : 's'} in use. ${advice}`,
  );
}
