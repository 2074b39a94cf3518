import { cell, NOTE } from './entries.mjs';

const HELP_WIDTH = 110;

/** docs/cli.md: every command as its --help has it, and what a screen of help is too small for. */
export function cliPage({ Command, commands }) {
  const program = new Command('forktrace');
  for (const add of commands) add(program);
  const all = program.commands;
  const withPid = all.filter(({ options }) => options.some(({ long }) => long === '--pid'));
  return `${NOTE}
# The forktrace command

| command | what it does |
|---|---|
${all.map((command) => `| [\`${command.name()}\`](#${command.name()}) | ${cell(command.description())} |`).join('\n')}

${names(withPid)} find the running coordinator of this user. If several run, select one with \`--pid\`.

Every command except \`mcp\`, which speaks JSON-RPC, takes \`--json\`: it then prints JSON on stdout, one document on one line, or one line for each item
of a list. An error is printed on stderr as \`forktrace: message [CODE]\`, and the exit code is 1; with \`--json\` the last line of stdout is also
\`{"error":{"code":"FORKTRACE_…","message":"…"}}\`. The output has colours only on a terminal, and none if \`NO_COLOR\` is set.
${all.map((command) => section(command)).join('')}
## The control socket

Each coordinator listens on \`<run directory>/<pid>.sock\` (a named pipe on Windows). The run directory is
\`forktrace-<uid>/run\` in the OS temp directory, or \`FORKTRACE_RUN_DIR\`; only its owner can use the directory and the socket (modes 0700 and 0600). Sockets that
dead coordinators left are removed by the next one.

It speaks HTTP: \`curl --unix-socket <socket> http://localhost/status\`.

| request | body | answer |
|---|---|---|
| \`GET /status\` | | all that \`forktrace status --json\` prints |
| \`POST /reload\` | none, or \`{"wait":false}\` | \`{"slots":[0,1]}\`, the slots that were replaced, when the reload has ended; with \`wait: false\` at once, with an empty list |
| \`POST /scale\` | \`{"workers":8}\` or \`{"by":1}\` | \`{"workers":8}\`, when they are ready |
| \`POST /kill\` | \`{"slot":2}\` | \`{"pid":123}\` |
| \`POST /inspector\` | \`{"slot":2}\` | \`{"pid":123,"url":"ws://127.0.0.1:…"}\`: the worker's inspector, which the client must close |
| \`POST /stop\` | | \`{}\`, at once |

A request that fails gets a status of 400 or more and \`{"error":{"code":"FORKTRACE_…","message":"…"}}\`. Any other request, and a body of more than 4,096 bytes, gets the code
\`FORKTRACE_CONTROL_REQUEST\`. A client checks that the socket belongs to its own user, or to root, and takes control characters out of what it prints.
`;
}

function names(commands) {
  const quoted = commands.map((command) => `\`${command.name()}\``);
  return `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}

function section(command) {
  const more = MORE[command.name()];
  return `
## ${command.name()}

\`\`\`console
$ forktrace ${command.name()} --help
${helpOf(command)}
\`\`\`
${more ? `\n${more}\n` : ''}`;
}

/** What --help prints, with what is added after it. */
function helpOf(command) {
  let text = '';
  command.configureOutput({
    writeOut: (written) => {
      text += written;
    },
    getOutHelpWidth: () => HELP_WIDTH,
    getOutHasColors: () => false,
  });
  command.outputHelp();
  return text.trimEnd();
}

const MORE = {
  status: `On a terminal \`forktrace status\` uses the alternate screen and redraws it three times a second. \`q\` or Ctrl-C ends it and restores the terminal.
Lines never wrap: a narrow terminal lacks the columns that matter least, and with more workers than lines the list scrolls.

| keys | |
|---|---|
| \`q\`, Ctrl-C | end |
| arrows, \`j\` and \`k\`, PgUp, PgDn | scroll |
| \`s\` \`r\` \`e\` \`l\` \`c\` \`m\` \`x\` | sort by slot, requests, errors, latency, CPU, memory, deaths in the last hour |

| column | |
|---|---|
| \`state\` | \`ready\`; \`starting\`; \`waiting\` for its respawn or its turn; \`draining\`; in red \`blocked\`: there has been no heartbeat from its event loop for 625 ms |
| \`req/s\`, \`err/s\` | requests and failed requests in the last second; failed are those with status 500 or more, and those without an answer |
| \`p99\` | 99th percentile of the duration of the requests of the last 5 to 10 seconds, off by at most 12 %; of more than 100 requests in a second, about 100 are timed |
| \`cpu\`, \`loop\` | processor time as a share of one processor; how much of the time the event loop was busy |
| \`memory\`, \`flight\` | resident set size; requests in flight |
| \`died/h\`, \`last exit\` | unplanned deaths in the last hour; why the last process of the slot ended ([causes](supervision.md#deaths)) |
| \`spans\`, \`lost\` | spans written to the journal since the start; spans that could not be kept |

An open crash-loop breaker is the first thing on the screen, in red. The last line is the shipper's: delivered, its lag, recovered and interrupted spans.`,
  run: `\`run --trace\` runs any program with the preload and a [span around its life](preload.md), and ends as it does; it prints nothing of its own.`,
  scale: `A coordinator does the same at SIGTTIN (one more) and SIGTTOU (one fewer), as Gunicorn does.`,
  stack: `More in [forensics](forensics.md).`,
  viewer: `The language of \`--filter\` is [that of the page](viewer.md#the-filter).`,
};
