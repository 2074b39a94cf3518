import type { Command } from 'commander';

export function mcp(program: Command): void {
  program
    .command('mcp')
    .description('Let a coding agent ask for deaths, traces and stacks, over the Model Context Protocol (stdio).')
    .option('--viewer <url>', 'the viewer that has the traces', 'http://127.0.0.1:4318')
    .option('--journals <dir>', "where the services' journal directories are (default: this user's)")
    .addHelpText('after', '\nExample:\n  $ claude mcp add forktrace -- npx forktrace mcp')
    .action(async (options) => (await import('../mcp.js')).mcp(options));
}
