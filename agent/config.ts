import { ConfigError } from '../kube/configure.ts';
import { readCidrs, readInteger, readListenAddress, readLogLevel, readSwitch } from '../kube/read-values.ts';
import { readSettings, renderSettings, type Setting } from '../kube/settings.ts';
import type { ExternalIpRule } from './endpoints/decide-external-ip.ts';
import type { ServeMode } from './node-context.ts';
import { readExternalIps, readServe } from './read-values.ts';
import type { ConntrackSettings } from './sysctls/decide-sysctls.ts';

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
  /** null: sysctls are left alone. */
  conntrack: ConntrackSettings | null;
  /** host:port of health. */
  healthAddress: { host: string; port: number };
  /** host:port of metrics. */
  metricsAddress: { host: string; port: number };
  /** Whether TCP node ports also answer on the loopback addresses. */
  localhostNodePorts: boolean;
  namespace: string;
  logLevel: string;
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
  'audit-seconds': {
    help: 'what is altered in the kernel is found within this time; elements later where there are very many',
    fallback: '30',
  },
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
  'set-sysctls': {
    help: 'false: settings of connection tracking are left alone, as they always are with --serve Own',
    fallback: 'true',
  },
  'conntrack-max-per-core': {
    help: 'entries of connection tracking for each core; 0: as it is; a larger table is never made smaller',
    fallback: '32768',
  },
  'conntrack-min': { help: 'entries of connection tracking at least', fallback: '131072' },
  'conntrack-tcp-timeout-established': {
    help: 'seconds until an idle TCP connection is forgotten; 0: as it is',
    fallback: '86400',
  },
  'conntrack-tcp-timeout-close-wait': {
    help: 'seconds until a half-closed TCP connection is forgotten; 0: as it is',
    fallback: '3600',
  },
  'conntrack-tcp-be-liberal': {
    help: 'true: TCP segments out of the window are translated as all others; false: as it is',
    fallback: 'true',
  },
  'conntrack-udp-timeout': {
    help: 'seconds until a UDP flow that nobody answered is forgotten; 0: as it is',
    fallback: '0',
  },
  'conntrack-udp-timeout-stream': {
    help: 'seconds until a UDP flow that both sides use is forgotten; 0: as it is',
    fallback: '0',
  },
  'proc-sys': {
    help: "where settings are written: the node's /proc/sys, where a container has it mounted",
    fallback: '/proc/sys',
  },
  namespace: { help: 'namespace of Fairlead', fallback: 'fairlead-system' },
  'log-level': { help: 'debug, info, warn or error', fallback: 'info' },
} satisfies Record<string, Setting>;

type SettingName = keyof typeof SETTINGS;

/** Reads flags, then the environment, then defaults. An empty variable says nothing. Throws a ConfigError. */
export function readConfig(argv: readonly string[], env: NodeJS.ProcessEnv): AgentConfig | 'help' {
  const given = readSettings(SETTINGS, argv, env, { takesWords: true });
  if (given === 'help') return 'help';
  const { read, words } = given;
  const [command = 'run', ...extra] = words;
  if ((command !== 'run' && command !== 'cleanup') || extra.length > 0) {
    throw new ConfigError(`there is no command ${JSON.stringify(words.join(' '))}: run or cleanup`);
  }
  const kubeconfig = read('kubeconfig');
  const nodeName = read('node-name') || (env.NODE_NAME ?? '');
  if (nodeName === '' && command === 'run')
    throw new ConfigError('--node-name: must name the Node of this agent');
  // As kube-proxy: told nothing is told the default.
  const addresses = read('nodeport-addresses') || SETTINGS['nodeport-addresses'].fallback;
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
    conntrack: serve === 'All' && readSwitch('set-sysctls', read('set-sysctls')) ? readConntrack(read) : null,
    healthAddress: readListenAddress('health-address', read('health-address') || HEALTH_ADDRESSES[serve]),
    metricsAddress: readListenAddress('metrics-address', read('metrics-address') || METRICS_ADDRESSES[serve]),
    localhostNodePorts: readSwitch('localhost-nodeports', read('localhost-nodeports')),
    namespace: read('namespace'),
    logLevel: readLogLevel(read('log-level')),
  };
}

function readConntrack(read: (name: SettingName) => string): ConntrackSettings {
  const readCount = (name: SettingName) => readInteger(name, read(name), 0, 2 ** 31 - 1);
  return {
    maxPerCore: readCount('conntrack-max-per-core'),
    min: readCount('conntrack-min'),
    tcpEstablishedSeconds: readCount('conntrack-tcp-timeout-established'),
    tcpCloseWaitSeconds: readCount('conntrack-tcp-timeout-close-wait'),
    tcpBeLiberal: readSwitch('conntrack-tcp-be-liberal', read('conntrack-tcp-be-liberal')),
    udpSeconds: readCount('conntrack-udp-timeout'),
    udpStreamSeconds: readCount('conntrack-udp-timeout-stream'),
    procSys: read('proc-sys'),
  };
}

/** What `--help` prints. */
export function renderHelp(): string {
  return [
    'The agent of Fairlead: forwards Services on one node.',
    '',
    '  agent [run] [flags]    forward, until stopped; the rules stay',
    '  agent cleanup          remove the rules',
    '',
    'Each flag is also an environment variable: --log-level is FAIRLEAD_LOG_LEVEL.',
    '',
    ...renderSettings(SETTINGS, 36),
    '',
  ].join('\n');
}
