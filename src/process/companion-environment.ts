/**
 * What a process needs of its surroundings: where programs, certificates, proxies and temporary files are,
 * and how to speak and print.
 */
const NEEDED = [
  /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|TMPDIR|TEMP|TMP|TZ|LANG|LANGUAGE|LC_\w+|TERM|NO_COLOR|FORCE_COLOR)$/,
  // Where the dynamic linker finds Node's own libraries.
  /^(LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|DYLD_FALLBACK_LIBRARY_PATH|NIX_LD|NIX_LD_LIBRARY_PATH)$/,
  /^(NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|NODE_USE_ENV_PROXY|NODE_USE_SYSTEM_CA|SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_CONF)$/,
  /^(grpc|http|https|all|no)_proxy$/i,
  /^GRPC_\w+$/,
  // Where pm2's daemon says how its processes end.
  /^PM2_HOME$/,
  // Windows starts no process without some of them.
  /^(SystemRoot|SystemDrive|windir|ComSpec|PATHEXT|APPDATA|LOCALAPPDATA|USERPROFILE|HOMEDRIVE|HOMEPATH)$/i,
];

/**
 * The environment of a companion process, the shipper or the viewer: a list of what it needs, so that it has
 * none of the app's secrets, and nothing that would preload the app's code or a debugger, make it a worker,
 * or watch its files.
 *
 * @param own names beside those, of variables that are meant for the companion
 */
export function companionEnvironment(env: NodeJS.ProcessEnv, own?: RegExp): NodeJS.ProcessEnv {
  const needed = Object.entries(env).filter(([name]) => own?.test(name) || NEEDED.some((names) => names.test(name)));
  return Object.fromEntries([...needed, ...plugAndPlay(env.NODE_OPTIONS)]);
}

/**
 * Yarn's Plug'n'Play has packages where only its own loader finds them, of which Node warns in each process.
 */
function plugAndPlay(options = ''): [string, string][] {
  const loaders = options.match(/--(?:require|experimental-loader)[ =](?:"[^"]*"|\S+)/g) ?? [];
  const own = loaders.filter((loader) => /[\\/]\.pnp\.(?:cjs|loader\.mjs)"?$/.test(loader));
  return own.length === 0 ? [] : [['NODE_OPTIONS', [...own, '--disable-warning=ExperimentalWarning'].join(' ')]];
}
