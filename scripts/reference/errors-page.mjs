import { cell, NOTE } from './entries.mjs';

/** docs/errors.md: every error and every warning. */
export function errorsPage({ errors, warnings }) {
  return `${NOTE}
# Errors and warnings

Every code is stable. An **error** is thrown as a \`ForktraceError\` with a \`code\`; the command prints it and exits with 1. A **warning** is a process
warning: Node writes it to stderr, and \`process.on('warning', ({ code }) => …)\` sees it. A warning that may repeat (a loss, a failed export)
is printed at once, then at intervals that double from one minute to one hour. Each repetition has the count of what happened since the last one.

What the shipper warns of is written to the standard error of the program that started it, by that program. \`exec()\` and \`2>&1 | tee\` do
not wait for a shipper that outlives its program, whose warnings are then dropped; a program that stays starts a shipper of its own.

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
