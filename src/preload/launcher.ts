/** Package managers and pm2 itself: programs that start the app and have the same NODE_OPTIONS. */
const LAUNCHERS =
  /[\\/](npm|npx|pnpm|pnpx|yarn|yarnpkg|corepack)(-cli)?(-\d[\w.-]*)?\.?(c?js|mjs)?$|[\\/]pm2[\\/](lib[\\/]Daemon\.js$|bin[\\/])|[\\/](pm2|pm2-dev|pm2-runtime|pm2-docker)$/;

/** One of these is in each: to look for them is cheaper at a start than to compile the pattern. */
const WORDS = ['npm', 'npx', 'pnpx', 'yarn', 'corepack', 'pm2'];

/**
 * Whether the program is a launcher, which is not traced. pm2's process containers are not launchers: they
 * load the app into their own process.
 *
 * @param program `process.argv[1]`
 */
export function isLauncher(program: string | undefined): boolean {
  return program !== undefined && WORDS.some((word) => program.includes(word)) && LAUNCHERS.test(program);
}
