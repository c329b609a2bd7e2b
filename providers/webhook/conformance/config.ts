import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { z } from 'zod';
import { type WebhookConfig, webhookSchema } from '../../../crds/webhook-provider.ts';
import { ConfigError } from '../../../kube/configure.ts';
import { readInteger } from '../../../kube/read-values.ts';
import { readSettings, renderSettings, type Setting } from '../../../kube/settings.ts';
import { splitList } from '../../../kube/split-list.ts';
import type { AccessReaders } from '../calls/read-access.ts';

export interface ConformanceConfig {
  webhook: WebhookConfig;
  /** Who we are to the server, from files. */
  readers: AccessReaders;
  /** Told to the server as claimed from an AddressPool; empty: it brings its own. */
  pool: string[];
  /** How long a new load balancer may take to serve. */
  readyMs: number;
}

const SETTINGS = {
  parameters: { help: 'spec.webhook.parameters as JSON: \'{"addresses": "192.0.2.10"}\'', fallback: '{}' },
  pool: { help: 'two addresses to listen at, as of AddressPools; without it, the server brings its own' },
  ca: { help: "file with the authorities of the server's certificate (PEM)" },
  'server-name': { help: "the name that the server's certificate must have" },
  'token-file': { help: 'file with the bearer token' },
  cert: { help: 'file with a client certificate (PEM)' },
  key: { help: 'file with its key' },
  timeout: { help: 'seconds that an answer may take', fallback: '30' },
  'ready-within': { help: 'seconds that a new load balancer may take to serve', fallback: '120' },
} satisfies Record<string, Setting>;

/** Names that stand for what comes from files here. */
const CA = 'ca';
const OWN = 'own';

/** `URL [flags]`. Throws a ConfigError. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): ConformanceConfig | 'help' {
  const given = readSettings(SETTINGS, argv, env, { takesWords: true });
  if (given === 'help') return 'help';
  const { read, words } = given;
  const [url, ...more] = words;
  if (url === undefined || more.length > 0 || !URL.canParse(url)) {
    throw new ConfigError('name the address of one server: webhook-test https://localhost:8443');
  }
  const seconds = readInteger('timeout', read('timeout'), 1, 60);
  const ca = readText(read('ca'));
  const own = {
    ...asKey('token', readText(read('token-file'))),
    ...asKey('tls.crt', readText(read('cert'))),
    ...asKey('tls.key', readText(read('key'))),
  };
  const serverName = read('server-name');
  const pool = splitList(read('pool'));
  if ((pool.length !== 0 && pool.length < 2) || pool.some((address) => isIP(address) === 0)) {
    throw new ConfigError('--pool: must be two addresses: 192.0.2.20,192.0.2.21');
  }
  const webhook = webhookSchema.parse({
    url,
    parameters: readParameters(read('parameters')),
    timeoutSeconds: seconds,
    applyTimeoutSeconds: seconds,
    retries: 0,
    tls: {
      ...(ca === undefined ? {} : { caSecretName: CA }),
      ...(serverName === '' ? {} : { serverName }),
    },
    ...(Object.keys(own).length === 0 ? {} : { credentials: { secretName: OWN } }),
    allowHTTP: true,
  });
  return {
    webhook,
    readers: {
      readSecret: async (name) => (name === CA ? { 'ca.crt': ca ?? '' } : own),
      readConfigMap: async () => ({}),
    },
    pool,
    readyMs: readInteger('ready-within', read('ready-within'), 1, 3600) * 1000,
  };
}

/** What `--help` prints. */
export function renderHelp(): string {
  return [
    'Tests whether a server keeps to the contract of the provider webhook (docs/providers/webhook.md). It makes load balancers',
    'of a cluster of its own, two at once at most, and takes them away again.',
    '',
    '  webhook-test URL [flags]',
    '',
    ...renderSettings(SETTINGS, 14),
    '',
  ].join('\n');
}

function readParameters(text: string): Record<string, string> {
  try {
    return z.record(z.string(), z.string()).parse(JSON.parse(text));
  } catch (cause) {
    throw new ConfigError('--parameters: must be a JSON object of texts: {"addresses": "192.0.2.10"}', {
      cause,
    });
  }
}

function readText(path: string): string | undefined {
  if (path === '') return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(`cannot read ${path}`, { cause });
  }
}

function asKey(key: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [key]: value };
}
