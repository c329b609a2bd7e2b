import { FairleadProcess } from './fairlead-process.ts';
import { KubeProxyProcess } from './kube-proxy-process.ts';

/** A service proxy on one node, as a process of its own. The rules stay when the process ends. */
export interface ProxyProcess {
  /** Also after an end, as a new process. Resolves once all that the API server tells is in the kernel. */
  start(): Promise<void>;
  /** Told to stop; resolves once it is gone. */
  stop(): Promise<void>;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** What people run once the proxy is gone for good: takes its rules away. It must not be running. */
  cleanUp(): Promise<void>;
}

export type ProxyName = 'fairlead' | 'kube-proxy';

/** What both proxies take. */
export interface ProxyOptions {
  /** The network namespace of the node. */
  netns: string;
  nodeName: string;
  kubeconfig: string;
  clusterCidrs: readonly string[];
  nodePortAddresses: 'primary' | readonly string[];
  /** How often the agent looks whether its rules were altered; kube-proxy never looks. @default 30 */
  auditSeconds?: number;
  /** Who may have which external IPs, as `--external-ips`; kube-proxy has no such rules. @default everybody any */
  externalIps?: string;
  /** One of the node's addresses, which this process reaches; health is at its port 10256. */
  address: string;
  /** For configuration and logs. */
  dir: string;
}

/** What `PROXY` names. Throws for another name. */
export function readProxyName(text = 'fairlead'): ProxyName {
  if (text === 'fairlead' || text === 'kube-proxy') return text;
  throw new Error(`PROXY is fairlead or kube-proxy, not ${JSON.stringify(text)}`);
}

export function createProxy(name: ProxyName, options: ProxyOptions): ProxyProcess {
  return name === 'fairlead' ? new FairleadProcess(options) : new KubeProxyProcess(options);
}
