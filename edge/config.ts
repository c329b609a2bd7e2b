import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { ConfigError } from '../kube/configure.ts';

export interface EdgeConfig {
  /** The LoadBalancerProvider that this edge serves. */
  provider: string;
  /** Of this edge among those of its provider. */
  name: string;
  kubeconfig?: string;
  /** Where it keeps what it shares with its HAProxy. */
  folder: string;
  /** The program. */
  haproxy: string;
  /** Who HAProxy's worker runs as; undefined: as the edge. */
  user: string | undefined;
  /** Of health and metrics. */
  listen: { host: string; port: number };
  logLevel: string;
}

interface Setting {
  help: string;
  fallback?: string;
}

/** Each flag is also an environment variable: --log-level is FAIRLEAD_LOG_LEVEL. */
const SETTINGS = {
  provider: { help: 'the LoadBalancerProvider that this edge serves; required' },
  name: { help: "the name of this edge among those of its provider (default: the machine's)" },
  kubeconfig: { help: 'path of a kubeconfig; without it as kubectl, or the Pod' },
  folder: {
    help: 'where it keeps what it shares with its HAProxy; one edge a folder',
    fallback: '/run/fairlead-edge',
  },
  haproxy: { help: 'the program', fallback: 'haproxy' },
  user: { help: "who HAProxy's worker runs as; without it, as the edge", fallback: '' },
  listen: { help: 'where /healthz, /livez and /metrics answer; port 0: none', fallback: '127.0.0.1:10359' },
  'log-level': { help: 'debug, info, warn or error', fallback: 'info' },
} satisfies Record<string, Setting>;

type SettingName = keyof typeof SETTINGS;

const LOG_LEVELS = new Set(['debug', 'info', 'warn', 'error']);
/** As an object's name, since it stands in a status and names a field manager. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;
/** A socket's path has room for 107 bytes. */
const LONGEST_FOLDER = 80;

/** Reads flags, then the environment, then defaults. An empty variable says nothing. Throws a ConfigError. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): EdgeConfig | 'help' {
  const flags = parseFlags(argv);
  if (flags.help === true) return 'help';
  const read = (name: SettingName): string => {
    const flag = flags[name];
    if (typeof flag === 'string') return flag;
    const setting: Setting = SETTINGS[name];
    return env[variableOf(name)] || (setting.fallback ?? '');
  };
  const provider = readName('provider', read('provider'));
  const name = readName('name', read('name') || (hostname().split('.')[0] ?? '').toLowerCase());
  const kubeconfig = read('kubeconfig');
  const user = read('user');
  const logLevel = read('log-level');
  if (!LOG_LEVELS.has(logLevel)) {
    throw new ConfigError(`--log-level: must be debug, info, warn or error, not ${JSON.stringify(logLevel)}`);
  }
  if (!/^[a-z0-9_-]*$/i.test(user))
    throw new ConfigError(`--user: ${JSON.stringify(user)} is no user's name`);
  return {
    provider,
    name,
    ...(kubeconfig === '' ? {} : { kubeconfig }),
    folder: readFolder(read('folder')),
    haproxy: read('haproxy'),
    user: user === '' ? undefined : user,
    listen: readListen(read('listen')),
    logLevel,
  };
}

/** What `--help` prints. */
export function renderHelp(): string {
  const settings: [string, Setting][] = Object.entries(SETTINGS);
  const lines = settings.map(
    ([name, { help, fallback }]) =>
      `  --${name.padEnd(14)}${help}${fallback === undefined || fallback === '' ? '' : ` (default ${fallback})`}`,
  );
  return [
    'The edge of Fairlead: drives the HAProxy of this machine, which outlives it.',
    '',
    '  edge --provider NAME [flags]',
    '',
    'Each flag is also an environment variable: --log-level is FAIRLEAD_LOG_LEVEL.',
    '',
    ...lines,
    '',
  ].join('\n');
}

function readName(flag: string, text: string): string {
  if (NAME.test(text)) return text;
  throw new ConfigError(
    `--${flag}: must be a name of lower case letters, digits and dashes, not ${JSON.stringify(text)}`,
  );
}

function readFolder(text: string): string {
  if (/^\/[\w./-]+$/.test(text) && text.length <= LONGEST_FOLDER) return text.replace(/\/+$/, '');
  throw new ConfigError(
    `--folder: must be an absolute path of at most ${LONGEST_FOLDER} letters, digits, dots and dashes, not ${JSON.stringify(text)}`,
  );
}

/** `host:port`; IPv6 in brackets. */
function readListen(text: string): { host: string; port: number } {
  const [, host = '', digits = ''] = /^\[?([^\]]*)\]?:(\d{1,5})$/.exec(text) ?? [];
  if (digits !== '' && Number(digits) <= 65_535) return { host, port: Number(digits) };
  throw new ConfigError(`--listen: must be host:port, not ${JSON.stringify(text)}`);
}

function parseFlags(argv: readonly string[]): Record<string, unknown> {
  const options = Object.fromEntries(
    Object.keys(SETTINGS).map((name) => [name, { type: 'string' as const }]),
  );
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
    return values;
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}

function variableOf(name: string): string {
  return `FAIRLEAD_${name.replaceAll('-', '_').toUpperCase()}`;
}
