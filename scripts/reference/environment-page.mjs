import { cell, defaultOf, entriesOf, expectedOf, NOTE } from './entries.mjs';

/** docs/environment.md: every variable of OpenTelemetry's specification, and forktrace's own. */
export function environmentPage({ sections, variables }) {
  const { specification, otlp, SIGNALS, node, own } = variables;
  const ofOptions = Object.values(sections).flatMap((table) =>
    [...entriesOf(table)].flatMap(([path, entry, isGroup]) =>
      entry.variables.map((name) => ({
        name,
        option: path,
        entry,
        expected: isGroup ? 'true or false' : expectedOf(entry),
      })),
    ),
  );
  const optionRows = (prefix) =>
    ofOptions
      .filter(({ name }) => name.startsWith(prefix))
      .map(
        ({ name, option, entry, expected }) =>
          `| \`${name}\` | honoured | ${cell(expected)} | ${cell(restOf(entry, name))} | The option \`${option}\`. ${cell(entry.about)} |`,
      );
  const tableRows = (table) =>
    Object.entries(table).map(
      ([name, { status, kind, list, otherwise = '', about }]) =>
        `| \`${name}\` | ${status} | ${cell(kind ? `${list ? 'a list of ' : ''}${kind.expected}` : '')} | ${cell(otherwise)} | ${cell(about)} |`,
    );
  const HEAD = '| variable | | takes | default | effect |\n|---|---|---|---|---|';
  const otlpRows = Object.entries(otlp).map(
    ([suffix, { kind, about, otherwise }]) =>
      `| ${['', ...SIGNALS.map((signal) => `${signal}_`)].map((signal) => `\`OTEL_EXPORTER_OTLP_${signal}${suffix}\``).join(', ')} | honoured | ${cell(kind?.expected ?? '')} | ${cell(otherwise)} | ${cell(about)} |`,
  );
  return `${NOTE}
# Environment variables

Every variable that forktrace reads, and every one of [OpenTelemetry's specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/):
**honoured**, **warned** (it has no effect here, and one that is set is said so), or **not applicable** (it is for a part that is not here).

- An option in code beats its variable. An empty variable counts as not set.
- A variable of OpenTelemetry (\`OTEL_…\`) with a value that is unknown or unusable is warned about once, by its name (\`FORKTRACE_ENV_IGNORED\`), and the
  default is used, as the specification has it. In a cluster the coordinator says it, not every worker.
- A wrong value of an own variable (\`FORKTRACE_…\`) stops the start with the error \`FORKTRACE_ENV_INVALID\`. One that does not exist is warned about
  (\`FORKTRACE_ENV_UNKNOWN\`) with the nearest name.
- \`PORT\` and \`WEB_CONCURRENCY\` are looked at where forktrace serves: in \`startClusterWithTracing\`, not under the preload. There a wrong one stops the
  start before anything listens.

## OpenTelemetry

${HEAD}
${[...optionRows('OTEL_').filter((row) => !row.includes('`OTEL_INSTRUMENTATION')), ...tableRows(specification)].join('\n')}

### OTLP exporter

The variable of one signal beats the general one; headers of both are sent.

${HEAD}
${otlpRows.join('\n')}

### Which protocol

The specification's default is \`http/protobuf\`, and many setups rely on gRPC; forktrace takes the endpoint's word for it:

- A protocol that is set (\`OTEL_EXPORTER_OTLP_PROTOCOL\`, \`export.to\`) is used.
- Port 4317, or \`host:port\` without a scheme: gRPC. Port 4318, or a URL with a path: HTTP with protobuf.
- Any other URL, like \`http://collector:14318\`: the endpoint is asked. It gets one empty gRPC export; if it does not answer as a gRPC server does, spans go by
  HTTP with protobuf, to \`/v1/traces\` below the URL.

### Of OpenTelemetry's Node.js and HTTP packages

${HEAD}
${[...optionRows('OTEL_INSTRUMENTATION'), ...tableRows(node)].join('\n')}

## forktrace and the host

| variable | takes | default | effect |
|---|---|---|---|
${ofOptions
  .filter(({ name }) => !name.startsWith('OTEL_'))
  .map(
    ({ name, option, entry, expected }) =>
      `| \`${name}\` | ${cell(expected)} | ${cell(restOf(entry, name))} | The option \`${option}\`. |`,
  )
  .join('\n')}
| \`NODE_ENV\` | | | \`production\`: no viewer unless asked for |
${Object.entries(own)
  .map(([name, about]) => `| \`${name}\` | | | ${cell(about)} |`)
  .join('\n')}
`;
}

/** What holds without this variable. */
function restOf(entry, name) {
  return defaultOf({ ...entry, variables: entry.variables.slice(entry.variables.indexOf(name) + 1) });
}
