import { warn } from '../warn.js';

/** OpenTelemetry's own preload in a `--require` or `--import` of a command line. */
const OTHER_PRELOAD = /--(?:require|import|r)[= ](@opentelemetry\/auto-instrumentations-node\/register\S*)/;

/**
 * The name of OpenTelemetry's own preload in this process, whether it has been loaded already or is loaded
 * later.
 */
export function otherPreload(): string | undefined {
  const words = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  // A start does not compile the pattern for nothing.
  return words.includes('auto-instrumentations-node') ? OTHER_PRELOAD.exec(words)?.[1] : undefined;
}

/** Called when the API has refused the app's SDK, because the first registration stays. */
export function warnOfRefusedSdk(): void {
  warn(
    'FORKTRACE_REGISTERED_TWICE',
    'The app starts another OpenTelemetry SDK after forktrace: it is not used, and its processors and exporters get no spans. Remove its start, or give them to forktrace (spanProcessors, exporter).',
  );
}

/**
 * Warns of two SDKs in one process: otherwise the user would only notice missing or doubled spans.
 *
 * @param kept the parts of the other SDK that stay in use
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
