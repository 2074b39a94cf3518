import type { Command } from 'commander';

export function inspect(program: Command): void {
  program
    .command('inspect')
    .description('Show the spans that a journal, or one file of it, holds; nothing is changed.')
    .argument('<path>', "a service's journal directory, or a segment or in-flight file")
    .option('--json', 'a JSON object per line')
    .addHelpText('after', '\nExample:\n  $ forktrace inspect /tmp/forktrace-1000/shop')
    .action(async (path, options) => {
      const { requireOneJournal } = await import('../journals-at.js');
      const { inspectAsJson, inspectAsTree } = await import('../inspect.js');
      requireOneJournal(path);
      for (const line of options.json ? inspectAsJson(path) : inspectAsTree(path)) {
        process.stdout.write(line.endsWith('\n') ? line : `${line}\n`);
      }
    });
}
