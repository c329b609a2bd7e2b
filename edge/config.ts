import { hostname } from 'node:os';
import { ConfigError } from '../kube/configure.ts';
import { readListenAddress, readLogLevel } from '../kube/read-values.ts';
import { readSettings, renderSettings, type Setting } from '../kube/settings.ts';

export interface EdgeConfig {
  /** The LoadBalancerProvider that this edge serves. */
  provider: string;
  /** Of this edge among those of its provider. */
  name: string;
  kubeconfig?: string;
  /** Of Fairlead, where its Lease is. */
  namespace: string;
  /** Where it keeps what it shares with its HAProxy. */
  folder: string;
  /** The program. */
  haproxy: string;
  /** The program, where edges share their addresses. */
  keepalived: string;
  /** Who HAProxy's worker runs as; undefined: as the edge. */
  user: string | undefined;
  /** Of health and metrics. */
  listen: { host: string; port: number };
  logLevel: string;
}

const SETTINGS = {
  provider: { help: 'the LoadBalancerProvider that this edge serves; required' },
  name: { help: "the name of this edge among those of its provider (default: the machine's)" },
  kubeconfig: { help: 'path of a kubeconfig; without it as kubectl, or the Pod' },
  namespace: { help: 'namespace of Fairlead, where the Lease of this edge is', fallback: 'fairlead-system' },
  folder: {
    help: 'where it keeps what it shares with its HAProxy; one edge a folder',
    fallback: '/run/fairlead-edge',
  },
  haproxy: { help: 'the program', fallback: 'haproxy' },
  keepalived: { help: 'the program, asked for by haproxy.vrrp of the provider', fallback: 'keepalived' },
  user: { help: "who HAProxy's worker runs as; without it, as the edge", fallback: '' },
  listen: { help: 'where /healthz, /livez and /metrics answer; port 0: none', fallback: '127.0.0.1:10359' },
  'log-level': { help: 'debug, info, warn or error', fallback: 'info' },
} satisfies Record<string, Setting>;

/** As an object's name, since it stands in a status and names a field manager. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/;
/** A socket's path has room for 107 bytes. */
const LONGEST_FOLDER = 80;

/** Reads flags, then the environment, then defaults. An empty variable says nothing. Throws a ConfigError. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): EdgeConfig | 'help' {
  const given = readSettings(SETTINGS, argv, env);
  if (given === 'help') return 'help';
  const { read } = given;
  const provider = readName('provider', read('provider'));
  const name = readName('name', read('name') || (hostname().split('.')[0] ?? '').toLowerCase());
  const kubeconfig = read('kubeconfig');
  const user = read('user');
  if (!/^[a-z0-9_-]*$/i.test(user))
    throw new ConfigError(`--user: ${JSON.stringify(user)} is no user's name`);
  return {
    provider,
    name,
    ...(kubeconfig === '' ? {} : { kubeconfig }),
    namespace: readName('namespace', read('namespace')),
    folder: readFolder(read('folder')),
    haproxy: read('haproxy'),
    keepalived: read('keepalived'),
    user: user === '' ? undefined : user,
    listen: readListenAddress('listen', read('listen')),
    logLevel: readLogLevel(read('log-level')),
  };
}

/** What `--help` prints. */
export function renderHelp(): string {
  return [
    'The edge of Fairlead: drives the HAProxy of this machine, which outlives it.',
    '',
    '  edge --provider NAME [flags]',
    '',
    'Each flag is also an environment variable: --log-level is FAIRLEAD_LOG_LEVEL.',
    '',
    ...renderSettings(SETTINGS, 14),
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
