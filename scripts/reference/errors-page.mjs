import { cell, NOTE } from './entries.mjs';

/** docs/errors.md: every error and every warning. */
export function errorsPage({ errors, warnings }) {
  return `${NOTE}
# Errors and warnings

Every code is stable. An **error** is thrown as a \`ForktraceError\` with a \`code\`; the command prints it and exits with 1. A **warning** is a process
warning: Node writes it to stderr, and \`process.on('warning', ({ code }) => …)\` sees it. What may repeat (losses, failed exports) is said at
once, then at intervals that double from one minute to one hour, with the count of all that happened in between.

The shipper prints its warnings on the standard error of the program that has started it, and lets go of that within a second of the
death of the last process it ships for: \`exec()\` and \`2>&1 | tee\` do not wait for a shipper whose endpoint is down.

Nothing of the data path throws into the app: what goes wrong there is a warning.

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
