import { cell, NOTE } from './entries.mjs';

/** docs/errors.md: every error and every warning. */
export function errorsPage({ errors, warnings }) {
  return `${NOTE}
# Errors and warnings

Every code is stable. An **error** is thrown as a \`ForktraceError\` with a \`code\`; the command prints it and exits with 1. A **warning** is a process
warning: Node writes it to stderr, and \`process.on('warning', ({ code }) => …)\` sees it. A warning that may repeat (a loss, a failed export)
is printed at once, then at intervals that double from one minute to one hour. Each repetition has the count of what happened since the last one.

The shipper prints its warnings on the standard error of the program that started it. It closes that stream within a second of the
death of the last process that it ships for, so that \`exec()\` and \`2>&1 | tee\` do not wait for a shipper whose endpoint is down.

Recording and delivering spans never throws into the app. What goes wrong there is a warning.

## Errors

| code | when | what to do |
|---|---|---|
${rows(errors, ({ when, remedy }) => [when, remedy])}

## Warnings

| code | when | what is lost |
|---|---|---|
${rows(warnings, ({ when, lost }) => [when, lost])}
`;
}

function rows(table, cells) {
  return Object.entries(table)
    .map(([code, entry]) => `| \`${code}\` | ${cells(entry).map(cell).join(' | ')} |`)
    .join('\n');
}
