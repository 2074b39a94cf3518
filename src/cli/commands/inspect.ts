import type { Command } from 'commander';

export function inspect(program: Command): void {
  program
    .command('inspect')
    .description('Show what a journal holds, or why a process died; nothing is changed.')
    .argument('[path]', "a service's journal directory, or a segment or in-flight file")
    .option('--deaths', 'list the deaths that are remembered, the newest first')
    .option('--death [id]', 'one death on one screen; the newest where no id is given')
    .option('--json', 'a JSON object per line')
    .addHelpText(
      'after',
      '\nExample:\n  $ forktrace inspect /tmp/forktrace-1000/shop\n  $ forktrace inspect /tmp/forktrace-1000/shop --death',
    )
    .action(async (given: string | undefined, options) => {
      // `--death <path>`: commander takes what follows it for an id.
      const isSwapped = given === undefined && typeof options.death === 'string';
      const path = isSwapped ? options.death : given;
      if (isSwapped) options.death = true;
      if (path === undefined) return program.error("error: missing required argument 'path'");
      if (options.deaths || options.death) {
        const { inspectDeaths } = await import('../inspect-deaths.js');
        process.stdout.write(inspectDeaths(path, options));
        return;
      }
      const { requireOneJournal } = await import('../journals-at.js');
      const { inspectAsJson, inspectAsTree } = await import('../inspect.js');
      requireOneJournal(path);
      for (const line of options.json ? inspectAsJson(path) : inspectAsTree(path)) {
        process.stdout.write(line.endsWith('\n') ? line : `${line}\n`);
      }
    });
}
