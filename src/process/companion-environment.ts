import { delimiter, isAbsolute, resolve } from 'node:path';

/**
 * The variables that every process needs: where programs, certificates, proxies and temporary files are, and
 * the language and colours of its output.
 */
const NEEDED = [
  /^(PATH|HOME|USER|LOGNAME|SHELL|PWD|TMPDIR|TEMP|TMP|TZ|LANG|LANGUAGE|LC_\w+|TERM|NO_COLOR|FORCE_COLOR)$/,
  // Where the dynamic linker finds Node's own libraries.
  /^(LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|DYLD_FALLBACK_LIBRARY_PATH|NIX_LD|NIX_LD_LIBRARY_PATH)$/,
  /^(NODE_EXTRA_CA_CERTS|NODE_TLS_REJECT_UNAUTHORIZED|NODE_USE_ENV_PROXY|NODE_USE_SYSTEM_CA|SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_CONF)$/,
  /^(grpc|http|https|all|no)_proxy$/i,
  /^GRPC_\w+$/,
  // Where pm2's daemon logs how its processes end.
  /^PM2_HOME$/,
  // Windows needs some of them to start a process at all.
  /^(SystemRoot|SystemDrive|windir|ComSpec|PATHEXT|APPDATA|LOCALAPPDATA|USERPROFILE|HOMEDRIVE|HOMEPATH)$/i,
];

/**
 * The environment of a companion process (the shipper or the viewer). Only listed variables are passed on, so
 * that the companion gets none of the app's secrets, and no variable that would preload the app's code or a
 * debugger, make the companion a worker, or restart it when files change.
 *
 * @param own matches names of further variables that are meant for the companion
 */
export function companionEnvironment(env: NodeJS.ProcessEnv, own?: RegExp): NodeJS.ProcessEnv {
  const needed = Object.entries(env).filter(([name]) => own?.test(name) || NEEDED.some((names) => names.test(name)));
  return Object.fromEntries([...needed.map(absolute), ...plugAndPlay(env.NODE_OPTIONS)]);
}

/** Variables with a path, or several. */
const PATHS =
  /^(HOME|TMPDIR|TEMP|TMP|PM2_HOME|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|SSL_CERT_DIR|OPENSSL_CONF|GRPC_DEFAULT_SSL_ROOTS_FILE_PATH)$/;

/** A companion has a working directory of its own. */
function absolute([name, value]: [string, string | undefined]): [string, string | undefined] {
  if (!value || !PATHS.test(name)) return [name, value];
  try {
    return [
      name,
      value
        .split(delimiter)
        .map((each) => (isAbsolute(each) ? each : resolve(each)))
        .join(delimiter),
    ];
  } catch {
    // The working directory is gone.
    return [name, value];
  }
}

/**
 * The loader of Yarn's Plug'n'Play, without which packages are not found. Node warns about it in each
 * process, so warnings are off.
 */
function plugAndPlay(options = ''): [string, string][] {
  const loaders = options.match(/--(?:require|experimental-loader)[ =](?:"[^"]*"|\S+)/g) ?? [];
  const own = loaders.filter((loader) => /[\\/]\.pnp\.(?:cjs|loader\.mjs)"?$/.test(loader));
  return own.length === 0 ? [] : [['NODE_OPTIONS', [...own, '--disable-warning=ExperimentalWarning'].join(' ')]];
}
