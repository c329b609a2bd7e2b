import { join } from 'node:path';
import { CREDENTIALS } from './api-server.ts';
import { Daemon } from './daemon.ts';

export interface ControllersOptions {
  binaries: { 'kube-controller-manager': string; 'kube-scheduler': string };
  dir: string;
  kubeconfigs: { controllerManager: string; scheduler: string };
  serviceCidr: string;
  /** With it, nodes get their pod CIDRs from here. */
  podCidr: string | undefined;
  /** More arguments of kube-controller-manager. */
  controllerArgs: readonly string[];
}

/** The defaults (20 a second) make a fresh controller manager take 7 s to its first ServiceAccount. */
const CLIENT_LIMITS = ['--kube-api-qps=500', '--kube-api-burst=1000'];

/** Starts kube-controller-manager and kube-scheduler; neither listens, neither elects: there is one of each. */
export function startControllers(options: ControllersOptions): Daemon[] {
  const { controllerManager, scheduler } = options.kubeconfigs;
  const podCidrArgs = options.podCidr
    ? ['--allocate-node-cidrs=true', `--cluster-cidr=${options.podCidr}`]
    : ['--allocate-node-cidrs=false'];
  return [
    new Daemon({
      name: 'kube-controller-manager',
      command: options.binaries['kube-controller-manager'],
      args: [
        `--kubeconfig=${controllerManager}`,
        '--secure-port=0',
        '--leader-elect=false',
        '--use-service-account-credentials=true',
        `--service-account-private-key-file=${join(options.dir, CREDENTIALS.tokenKey)}`,
        `--root-ca-file=${join(options.dir, CREDENTIALS.authority)}`,
        `--service-cluster-ip-range=${options.serviceCidr}`,
        '--profiling=false',
        ...CLIENT_LIMITS,
        ...podCidrArgs,
        ...options.controllerArgs,
      ],
      logFile: join(options.dir, 'kube-controller-manager.log'),
    }),
    new Daemon({
      name: 'kube-scheduler',
      command: options.binaries['kube-scheduler'],
      args: [
        `--kubeconfig=${scheduler}`,
        '--secure-port=0',
        '--leader-elect=false',
        '--profiling=false',
        ...CLIENT_LIMITS,
      ],
      logFile: join(options.dir, 'kube-scheduler.log'),
    }),
  ];
}
