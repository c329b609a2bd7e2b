import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { firstServiceAddresses, hostPort, isLoopback } from './addresses.ts';
import { type Authority, createTokenKeys, type KeyPair } from './certificates.ts';
import { Daemon } from './daemon.ts';
import { freePort } from './ports.ts';

export interface ApiServerOptions {
  binary: string;
  dir: string;
  etcdUrl: string;
  address: string;
  extraSans: readonly string[];
  serviceCidr: string;
  nodePortRange: string;
  authority: Authority;
  /** A member of system:masters: asks for readiness. */
  admin: KeyPair;
}

const READY_MS = 60_000;

/** One kube-apiserver; started again, it keeps its port, certificates and token keys. */
export class ApiServer {
  readonly url: string;
  readonly #options: ApiServerOptions;
  readonly #args: readonly string[];
  #daemon: Daemon | undefined;

  private constructor(options: ApiServerOptions, port: number, args: readonly string[]) {
    this.url = `https://${hostPort(options.address, port)}`;
    this.#options = options;
    this.#args = args;
  }

  static async prepare(options: ApiServerOptions): Promise<ApiServer> {
    const port = await freePort(options.address);
    await writeCredentials(options);
    return new ApiServer(options, port, apiServerArgs(options, port));
  }

  /** Resolves once `/readyz` is well and the default namespace is there. */
  async start(): Promise<void> {
    if (this.#daemon?.running) throw new Error('kube-apiserver runs already');
    this.#daemon = new Daemon({
      name: 'kube-apiserver',
      command: this.#options.binary,
      args: this.#args,
      logFile: join(this.#options.dir, 'kube-apiserver.log'),
    });
    const ready = async () =>
      (await this.#status('/readyz')) === 200 && (await this.#status('/api/v1/namespaces/default')) === 200;
    await this.#daemon.untilReady(ready, READY_MS);
  }

  /** SIGTERM lets requests under way end; SIGKILL cuts every connection at once. */
  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#daemon?.stop(signal);
  }

  #status(path: string): Promise<number | undefined> {
    const { cert, key } = this.#options.admin;
    const options = { ca: this.#options.authority.cert, cert, key, agent: false, timeout: 2_000 };
    return new Promise((resolve, reject) => {
      const request = get(`${this.url}${path}`, options, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.once('timeout', () => request.destroy(new Error('timed out')));
      request.once('error', reject);
    });
  }
}

/** The files that kube-apiserver, and kube-controller-manager beside it, read by name. */
export const CREDENTIALS = {
  authority: 'ca.crt',
  servingCert: 'apiserver.crt',
  servingKey: 'apiserver.key',
  tokenKey: 'service-account.key',
  tokenPublicKey: 'service-account.pub',
} as const;

async function writeCredentials(options: ApiServerOptions): Promise<void> {
  const serving = await options.authority.issueServer('kube-apiserver', [
    'localhost',
    '127.0.0.1',
    '::1',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
    ...firstServiceAddresses(options.serviceCidr),
    options.address,
    ...options.extraSans,
  ]);
  const tokenKeys = await createTokenKeys();
  const files: [string, string][] = [
    [CREDENTIALS.authority, options.authority.cert],
    [CREDENTIALS.servingCert, serving.cert],
    [CREDENTIALS.servingKey, serving.key],
    [CREDENTIALS.tokenKey, tokenKeys.privateKey],
    [CREDENTIALS.tokenPublicKey, tokenKeys.publicKey],
  ];
  await Promise.all(files.map(([name, text]) => writeFile(join(options.dir, name), text, { mode: 0o600 })));
}

function apiServerArgs(options: ApiServerOptions, port: number): string[] {
  const file = (name: string) => join(options.dir, name);
  return [
    `--etcd-servers=${options.etcdUrl}`,
    `--bind-address=${options.address}`,
    `--advertise-address=${options.address}`,
    `--secure-port=${port}`,
    // A loopback address is no endpoint that other hosts could use, and the API refuses it as one.
    ...(isLoopback(options.address) ? ['--endpoint-reconciler-type=none'] : []),
    `--tls-cert-file=${file(CREDENTIALS.servingCert)}`,
    `--tls-private-key-file=${file(CREDENTIALS.servingKey)}`,
    `--client-ca-file=${file(CREDENTIALS.authority)}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file(CREDENTIALS.tokenPublicKey)}`,
    `--service-account-signing-key-file=${file(CREDENTIALS.tokenKey)}`,
    // A token ends when it says so, not a year later: expiry is one of the things under test.
    '--service-account-extend-token-expiration=false',
    `--service-cluster-ip-range=${options.serviceCidr}`,
    `--service-node-port-range=${options.nodePortRange}`,
    '--allow-privileged=true',
    '--profiling=false',
  ];
}
