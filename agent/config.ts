import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { ExternalIpRule } from './endpoints/decide-external-ip.ts';
import type { ServeMode } from './node-context.ts';

export interface AgentConfig {
  command: 'run' | 'cleanup';
  /** The Node that this agent runs on. */
  nodeName: string;
  kubeconfig?: string;
  /** Pods' own addresses, of both families. */
  clusterCidrs: string[];
  /** `primary`: the Node object's own addresses; else CIDRs of local addresses. */
  nodePortAddresses: 'primary' | string[];
  /** One bit of the packet mark. */
  markBit: number;
  serve: ServeMode;
  externalIps: ExternalIpRule[];
  auditSeconds: number;
  /** host:port of health. */
  healthAddress: { host: string; port: number };
  /** host:port of metrics. */
  metricsAddress: { host: string; port: number };
  /** Whether TCP node ports also answer on the loopback addresses. */
  localhostNodePorts: boolean;
  namespace: string;
  logLevel: string;
}

/** The configuration can't be used; the message says what to mend. */
export class ConfigError extends Error {}

interface Setting {
  help: string;
  fallback?: string;
}

/** In the place of kube-proxy as it, so that whoever asked it goes on asking; beside it elsewhere. */
const HEALTH_ADDRESSES: Readonly<Record<ServeMode, string>> = {
  All: '0.0.0.0:10256',
  Own: '0.0.0.0:10356',
};
const METRICS_ADDRESSES: Readonly<Record<ServeMode, string>> = {
  All: '127.0.0.1:10249',
  Own: '127.0.0.1:10349',
};

/** Each flag is also an environment variable: --node-name is FAIRLEAD_NODE_NAME. */
const SETTINGS = {
  'node-name': { help: 'the Node that this agent runs on; required (or $NODE_NAME)' },
  kubeconfig: { help: 'path of a kubeconfig; without it as kubectl, or the Pod' },
  'cluster-cidr': {
    help: "CIDRs of the pods' addresses, with commas; without it, no ClusterIP traffic is masqueraded",
    fallback: '',
  },
  'nodeport-addresses': {
    help: 'where node ports answer: primary (the addresses of the Node object), or CIDRs with commas',
    fallback: 'primary',
  },
  'mark-bit': {
    help: 'the bit of the packet mark (0 to 31) for masquerading; kube-proxy has 14',
    fallback: '13',
  },
  serve: {
    help: "Own: beside kube-proxy, Fairlead's load balancers and what asks for it; All: every Service, in its place",
    fallback: 'Own',
  },
  'external-ips': {
    help: 'who may have which spec.externalIPs: namespace=CIDR with commas, * for any namespace; without it, nobody any',
    fallback: '',
  },
  'audit-seconds': { help: 'time between looks at what the kernel really holds', fallback: '30' },
  'health-address': {
    help: `where /healthz and /livez answer; port 0: none (default ${HEALTH_ADDRESSES.Own}, with --serve All ${HEALTH_ADDRESSES.All})`,
  },
  'metrics-address': {
    help: `where /metrics, /proxyMode and /configz answer; port 0: none (default ${METRICS_ADDRESSES.Own}, with --serve All ${METRICS_ADDRESSES.All})`,
  },
  'localhost-nodeports': {
    help: 'true: TCP node ports also answer on 127.0.0.1 and ::1, through a proxy in the agent',
    fallback: 'false',
  },
  namespace: { help: 'namespace of Fairlead', fallback: 'fairlead-system' },
  'log-level': { help: 'debug, info, warn or error', fallback: 'info' },
} satisfies Record<string, Setting>;

type SettingName = keyof typeof SETTINGS;

/** Reads flags, then the environment, then defaults. An empty variable says nothing. Throws a ConfigError. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): AgentConfig | 'help' {
  const { values, positionals } = parseFlags(argv);
  if (values.help === true) return 'help';
  const [command = 'run', ...extra] = positionals;
  if ((command !== 'run' && command !== 'cleanup') || extra.length > 0) {
    throw new ConfigError(`there is no command ${JSON.stringify(positionals.join(' '))}: run or cleanup`);
  }
  const read = (name: SettingName): string => {
    const flag = values[name];
    if (typeof flag === 'string') return flag;
    const setting: Setting = SETTINGS[name];
    return env[variableOf(name)] || (setting.fallback ?? '');
  };
  const kubeconfig = read('kubeconfig');
  const nodeName = read('node-name') || (env.NODE_NAME ?? '');
  if (nodeName === '' && command === 'run')
    throw new ConfigError('--node-name: must name the Node of this agent');
  const addresses = read('nodeport-addresses');
  const serve = readServe(read('serve'));
  return {
    command,
    nodeName,
    ...(kubeconfig === '' ? {} : { kubeconfig }),
    clusterCidrs: readCidrs('cluster-cidr', read('cluster-cidr')),
    nodePortAddresses: addresses === 'primary' ? 'primary' : readCidrs('nodeport-addresses', addresses),
    markBit: 2 ** readInteger('mark-bit', read('mark-bit'), 0, 31),
    serve,
    externalIps: readExternalIps(read('external-ips')),
    auditSeconds: readInteger('audit-seconds', read('audit-seconds'), 1, 86_400),
    healthAddress: readListenAddress('health-address', read('health-address') || HEALTH_ADDRESSES[serve]),
    metricsAddress: readListenAddress('metrics-address', read('metrics-address') || METRICS_ADDRESSES[serve]),
    localhostNodePorts: readSwitch('localhost-nodeports', read('localhost-nodeports')),
    namespace: read('namespace'),
    logLevel: read('log-level'),
  };
}

/** What `--help` prints. */
export function renderHelp(): string {
  const settings: [string, Setting][] = Object.entries(SETTINGS);
  const lines = settings.map(
    ([name, { help, fallback }]) =>
      `  --${name.padEnd(22)}${help}${fallback === undefined || fallback === '' ? '' : ` (default ${fallback})`}`,
  );
  return [
    'The agent of Fairlead: forwards Services on one node.',
    '',
    '  agent [run] [flags]    forward, until stopped; the rules stay',
    '  agent cleanup          remove the rules',
    '',
    'Each flag is also an environment variable: --log-level is FAIRLEAD_LOG_LEVEL.',
    '',
    ...lines,
    '',
  ].join('\n');
}

function parseFlags(argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.keys(SETTINGS).map((name) => [name, { type: 'string' as const }]),
  );
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    });
    const flags: Record<string, unknown> = values;
    return { values: flags, positionals };
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : String(error));
  }
}

function readServe(text: string): ServeMode {
  if (text === 'All' || text === 'Own') return text;
  throw new ConfigError(`--serve: must be All or Own, not ${JSON.stringify(text)}`);
}

function readExternalIps(text: string): ExternalIpRule[] {
  return splitList(text).map((rule) => {
    const [, namespace = '', range = ''] = /^([^=]+)=(.*)$/.exec(rule) ?? [];
    if (namespace === '') {
      const example = 'team-a=203.0.113.0/24';
      throw new ConfigError(`--external-ips: ${JSON.stringify(rule)} is no rule, such as ${example}`);
    }
    const [cidr = ''] = readCidrs('external-ips', range);
    if (cidr === '') throw new ConfigError(`--external-ips: ${JSON.stringify(rule)} names no range`);
    return { namespace: namespace.trim(), cidr };
  });
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function readCidrs(name: string, text: string): string[] {
  const cidrs = splitList(text);
  for (const cidr of cidrs) {
    const [address = '', length = '', ...more] = cidr.split('/');
    const longest = isIP(address) === 6 ? 128 : 32;
    if (isIP(address) === 0 || more.length > 0 || !/^\d+$/.test(length) || Number(length) > longest) {
      throw new ConfigError(`--${name}: ${JSON.stringify(cidr)} is no CIDR, such as 10.244.0.0/16`);
    }
  }
  return cidrs;
}

function readInteger(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new ConfigError(`--${name}: must be a number from ${low} to ${high}, not ${JSON.stringify(text)}`);
}

function readSwitch(name: string, text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  throw new ConfigError(`--${name}: must be true or false, not ${JSON.stringify(text)}`);
}

function readListenAddress(name: string, text: string): { host: string; port: number } {
  const [, host = '', digits = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(text) ?? [];
  if (digits !== '') return { host, port: readInteger(name, digits, 0, 65_535) };
  throw new ConfigError(`--${name}: must be host:port, not ${JSON.stringify(text)}`);
}

function variableOf(name: string): string {
  return `FAIRLEAD_${name.replaceAll('-', '_').toUpperCase()}`;
}
