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

This page lists every variable that forktrace reads, and every variable of
[OpenTelemetry's specification](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). The second column says what
becomes of it:

- **honoured**: forktrace reads it.
- **warned**: it has no effect in forktrace, and forktrace prints a warning if it is set.
- **not applicable**: it configures a part of OpenTelemetry that forktrace does not have.

How they are read:

- An option in code takes precedence over its variable. An empty variable counts as not set.
- If a variable of OpenTelemetry (\`OTEL_…\`) has an unknown or unusable value, forktrace warns once with its name (\`FORKTRACE_ENV_IGNORED\`) and uses
  the default, as the specification requires. In a cluster only the coordinator prints the warning.
- If a variable of forktrace (\`FORKTRACE_…\`) has a wrong value, the start fails with the error \`FORKTRACE_ENV_INVALID\`. A \`FORKTRACE_…\` name that does
  not exist is a warning (\`FORKTRACE_ENV_UNKNOWN\`), which suggests the nearest name.
- \`startClusterWithTracing\` reads \`PORT\` and \`WEB_CONCURRENCY\`, and a wrong value stops the start before anything listens. The preload does not
  read them.

## OpenTelemetry

${HEAD}
${[...optionRows('OTEL_').filter((row) => !row.includes('`OTEL_INSTRUMENTATION')), ...tableRows(specification)].join('\n')}

### OTLP exporter

The variable of one signal takes precedence over the general one. Headers of both are sent.

${HEAD}
${otlpRows.join('\n')}

### Which protocol

The specification's default is \`http/protobuf\`, but many setups rely on gRPC. So forktrace decides by what is configured:

- A protocol that is set (\`OTEL_EXPORTER_OTLP_PROTOCOL\`, \`export.to\`) is used.
- Port 4317, or \`host:port\` without a scheme: gRPC. Port 4318, or a URL with a path: HTTP with protobuf.
- Any other URL, such as \`http://collector:14318\`: the endpoint is asked. It gets one empty gRPC export. If it does not answer as a gRPC server
  does, spans are sent over HTTP with protobuf, to \`/v1/traces\` below the URL.

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
