import { cell, defaultOf, entriesOf, expectedOf, NOTE } from './entries.mjs';

/** docs/configuration.md: every option, by section. */
export function configurationPage({ sections }) {
  return `${NOTE}
# Configuration

Every option of \`startClusterWithTracing(app, config)\` and \`startWorkerTracing(config)\`. Variables are in [environment.md](environment.md).

- All options are optional. Config beats environment, environment beats defaults. An empty variable counts as not set.
- A wrong or unknown option stops the start with a \`ForktraceError\`, code \`FORKTRACE_CONFIG_INVALID\`, and a message that names it, what it got
  and what it takes. Values of options marked *secret* are in no message.
- What opens sockets or timers is passed as a factory, so that it is created in the worker, after the fork.

${Object.entries(sections)
  .map(
    ([title, table]) => `## ${title}\n\n${AFTER[title]?.before ?? ''}${tableOf(table)}\n${AFTER[title]?.after ?? ''}`,
  )
  .join('\n')}`;
}

function tableOf(table) {
  const rows = [...entriesOf(table)].map(([path, entry, isGroup]) => {
    if (isGroup) {
      const takes = entry.toggle ? '`true`, `false` or options' : 'options';
      return `| \`${path}\` | ${takes} | ${entry.toggle ? cell(defaultOf(entry)) : ''} | ${cell(entry.about)} |`;
    }
    const secret = entry.secret ? ' *Secret.*' : '';
    return `| \`${path}\` | ${cell(expectedOf(entry))} | ${cell(defaultOf(entry))} | ${cell(entry.about)}${secret} |`;
  });
  return ['| option | takes | default | effect |', '|---|---|---|---|', ...rows, ''].join('\n');
}

const AFTER = {
  Export: {
    after: `
### Where spans go

\`export.to\`; else \`export.url\`; else \`FORKTRACE_EXPORT\`; else \`OTEL_TRACES_EXPORTER\`; else an \`OTEL_EXPORTER_OTLP_*\` endpoint or protocol.
When nothing of this is set: the viewer, or OTLP/gRPC at \`http://localhost:4317\` with \`NODE_ENV=production\`, \`viewer: false\`, an \`exporter\` or a \`tracerProvider\`.
[environment.md](environment.md#which-protocol) says which protocol an endpoint is spoken to with.
`,
  },
};
