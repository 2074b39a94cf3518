/** docs/emitted.md, of src/wire/conventions.ts. */
const sections = [
  [
    'resource attribute',
    'Resource attributes',
    'Of workers and of the coordinator. What you configure as `resource` comes on top, and wins.',
  ],
  [
    'span',
    'Spans',
    'The coordinator writes these with the `journal` pipeline, through a journal of its own. Spans of requests are named as the semantic conventions for HTTP say.',
  ],
  ['event', 'Events', ''],
  ['attribute', 'Attributes', 'Of the spans above, of interrupted spans and of metrics.'],
  ['metric', 'Metrics', 'When a meter provider is given.'],
];

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
        `| \`${name}\` | ${conventional ? 'semantic conventions' : 'forktrace'} | ${says} |`,
    );
    return `\n## ${title}\n${about && `\n${about}\n`}\n| name | defined by | what it says |\n|---|---|---|\n${rows.join('\n')}\n`;
  })
  .join('')}`;
}
