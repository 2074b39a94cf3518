/** docs/emitted.md, of src/wire/conventions.ts. */
const sections = [
  [
    'resource attribute',
    'Resource attributes',
    'Workers and the coordinator have these. Attributes that you configure as `resource` are added, and take precedence.',
  ],
  [
    'span',
    'Spans',
    'The coordinator writes these with the pipeline `journal`, through a journal of its own. Spans of requests are named as the semantic conventions for HTTP say.',
  ],
  ['event', 'Events', 'Spans have these.'],
  ['attribute', 'Attributes', 'The spans above, interrupted spans, log records and metrics have these.'],
  ['metric', 'Metrics', 'forktrace records these where it has a meter provider: see [Metrics](metrics.md).'],
];

/** Names in a sentence as code, and pages as links. */
const asCode = (says) =>
  says
    .split(/(`[^`]*`)/)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part
            .replace(/\bdocs\/([\w-]+\.md)/g, '[$1]($1)')
            .replace(/(?<![\w`/([-])(?:[a-z]\w*(?:\.\w+)+|_?[A-Z]{3,}_[A-Z_]+|_OTHER)(?![\w(\]])/g, '`$&`'),
    )
    .join('');

export function emittedPage({ conventions: { EMITTED } }) {
  return `# What forktrace emits

This page lists every attribute, span, event and metric name that forktrace writes. Most follow [OpenTelemetry's semantic
conventions](https://opentelemetry.io/docs/specs/semconv/). Names that forktrace defines itself do not change within a major version. Spans and
metrics of HTTP servers follow the conventions [for HTTP](https://opentelemetry.io/docs/specs/semconv/http/), and are not repeated here.

\`npm run generate\` writes this page from src/wire/conventions.ts.
${sections
  .map(([kind, title, about]) => {
    const rows = EMITTED.filter((one) => one.kind === kind).map(
      ({ name, conventional, says }) =>
        `| \`${name}\` | ${conventional ? 'semantic conventions' : 'forktrace'} | ${asCode(says)} |`,
    );
    return `\n## ${title}\n${about && `\n${about}\n`}\n| name | defined by | what it says |\n|---|---|---|\n${rows.join('\n')}\n`;
  })
  .join('')}`;
}
