import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KubeClient } from '../../kube/client.ts';
import { ApiServer } from './api-server.ts';
import { findKubectl, findPrograms } from './binaries.ts';
import { Authority } from './certificates.ts';
import { startControllers } from './controllers.ts';
import type { Daemon } from './daemon.ts';
import { createDataDir } from './data-dir.ts';
import { type Etcd, startEtcd } from './etcd.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { runCommand } from './run-command.ts';

export interface ControlPlaneOptions {
  /** Also kube-controller-manager and kube-scheduler. @default false */
  controllers?: boolean;
  /** Where the API server listens, and under which clients reach it. @default 127.0.0.1 */
  address?: string;
  /** More names and addresses for the API server's certificate. */
  extraSans?: readonly string[];
  /** @default 10.96.0.0/16,fd00:96::/112 */
  serviceCidr?: string;
  /** Nodes get their pod CIDRs from here; without it they bring their own. */
  podCidr?: string;
  /** @default 30000-32767 */
  nodePortRange?: string;
  /** For data, logs and kubeconfigs; kept on stop. @default a temporary folder, removed on stop */
  dir?: string;
  /** More arguments of kube-controller-manager. */
  controllerArgs?: readonly string[];
  /** Whether etcd writes through to the disk; benchmarks that must be comparable want it. @default false */
  etcdFsync?: boolean;
}

const ADMIN = { user: 'fairlead-lab-admin', groups: ['system:masters'] };
const CONTROLLERS_READY_MS = 60_000;
const DEFAULT_TOKEN_SECONDS = 7 * 86_400;

/** A real etcd and kube-apiserver, bound to this process: they never outlive it. */
export class ControlPlane {
  /** Path of the admin's kubeconfig. */
  readonly kubeconfig: string;
  /** Holds data, logs and kubeconfigs. */
  readonly dir: string;
  readonly url: string;
  readonly #authority: Authority;
  readonly #etcd: Etcd;
  readonly #apiServer: ApiServer;
  readonly #client: KubeClient;
  readonly #removeDir: boolean;
  #controllers: Daemon[] = [];
  #kubectl: Promise<string> | undefined;

  private constructor(parts: {
    dir: string;
    removeDir: boolean;
    authority: Authority;
    etcd: Etcd;
    apiServer: ApiServer;
    client: KubeClient;
  }) {
    this.dir = parts.dir;
    this.kubeconfig = join(parts.dir, 'admin.kubeconfig');
    this.url = parts.apiServer.url;
    this.#removeDir = parts.removeDir;
    this.#authority = parts.authority;
    this.#etcd = parts.etcd;
    this.#apiServer = parts.apiServer;
    this.#client = parts.client;
  }

  /** See `startControlPlane`. */
  static async start(options: ControlPlaneOptions): Promise<ControlPlane> {
    const dir = options.dir === undefined ? await createDataDir() : resolve(options.dir);
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const serviceCidr = options.serviceCidr ?? '10.96.0.0/16,fd00:96::/112';
    const binaries = await findPrograms('etcd', 'kube-apiserver');
    const authority = await Authority.create('fairlead-lab');
    const admin = await authority.issueClient(ADMIN.user, ADMIN.groups);
    const etcd = await startEtcd({ binary: binaries.etcd, dir, fsync: options.etcdFsync ?? false });
    const apiServer = await ApiServer.prepare({
      binary: binaries['kube-apiserver'],
      dir,
      etcdUrl: etcd.url,
      address: options.address ?? '127.0.0.1',
      extraSans: options.extraSans ?? [],
      serviceCidr,
      nodePortRange: options.nodePortRange ?? '30000-32767',
      authority,
      admin,
    });
    const client = new KubeClient(
      { server: apiServer.url, ca: authority.cert, ...admin },
      { userAgent: 'fairlead-lab' },
    );
    const removeDir = options.dir === undefined;
    const plane = new ControlPlane({ dir, removeDir, authority, etcd, apiServer, client });
    try {
      await plane.startApiServer();
      await writeKubeconfig(plane.kubeconfig, {
        server: plane.url,
        ca: authority.cert,
        user: { clientCert: admin },
      });
      if (options.controllers) await plane.#startControllers(options, serviceCidr);
    } catch (error) {
      await plane.stop();
      throw error;
    }
    return plane;
  }

  /** etcd itself, plain HTTP on loopback: for compacting, and nothing that the API server should know of. */
  get etcdUrl(): string {
    return this.#etcd.url;
  }

  /** The one client of the admin, closed on stop. */
  adminClient(): KubeClient {
    return this.#client;
  }

  /** Path of a kubeconfig for any user, by a client certificate; a Node is `system:node:<name>` in `system:nodes`. */
  async userKubeconfig(user: string, groups: readonly string[]): Promise<string> {
    return writeKubeconfig(this.#file(`user-${user}.kubeconfig`), {
      server: this.url,
      ca: this.#authority.cert,
      user: { clientCert: await this.#authority.issueClient(user, groups) },
    });
  }

  /**
   * Path of a kubeconfig whose token the API server issued for this ServiceAccount, which must exist. With `node`, the
   * token says which Node its bearer runs on, as that of a Pod there would.
   */
  async serviceAccountKubeconfig(
    namespace: string,
    name: string,
    options: { expirationSeconds?: number; node?: { name: string; uid: string } } = {},
  ): Promise<string> {
    const { expirationSeconds = DEFAULT_TOKEN_SECONDS, node } = options;
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
    const answer = await this.#client.request<{ status: { token: string } }>('POST', path, {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          expirationSeconds,
          ...(node && { boundObjectRef: { apiVersion: 'v1', kind: 'Node', ...node } }),
        },
      },
    });
    const file = this.#file(`serviceaccount-${namespace}-${name}${node ? `-${node.name}` : ''}`);
    await writeFile(`${file}.token`, answer.status.token, { mode: 0o600 });
    return writeKubeconfig(`${file}.kubeconfig`, {
      server: this.url,
      ca: this.#authority.cert,
      user: { tokenFile: `${file}.token` },
      namespace,
    });
  }

  /** Runs kubectl as the admin: its stdout, or an error with its stderr. */
  async kubectl(args: readonly string[], input?: string): Promise<string> {
    const env = { ...process.env, KUBECONFIG: this.kubeconfig, KUBECACHEDIR: this.#file('kubectl-cache') };
    return runCommand(await this.kubectlPath(), args, { input, env });
  }

  /** The kubectl that fits this API server. */
  kubectlPath(): Promise<string> {
    this.#kubectl ??= findKubectl();
    return this.#kubectl;
  }

  /** The API server alone goes down; etcd keeps the data. SIGKILL cuts connections where they are. */
  async stopApiServer(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#apiServer.stop(signal);
  }

  /** Up again, on the same port with the same certificates and data; resolves once ready. */
  async startApiServer(): Promise<void> {
    await this.#apiServer.start();
  }

  /** Ends everything, without ceremony: the data goes with it. */
  async stop(): Promise<void> {
    await this.#client.close();
    await Promise.all([
      ...this.#controllers.map((daemon) => daemon.stop('SIGKILL')),
      this.stopApiServer('SIGKILL'),
    ]);
    await this.#etcd.daemon.stop('SIGKILL');
    if (this.#removeDir) await rm(this.dir, { recursive: true, force: true });
  }

  async #startControllers(options: ControlPlaneOptions, serviceCidr: string): Promise<void> {
    const binaries = await findPrograms('kube-controller-manager', 'kube-scheduler');
    this.#controllers = startControllers({
      binaries,
      dir: this.dir,
      kubeconfigs: {
        controllerManager: await this.userKubeconfig('system:kube-controller-manager', []),
        scheduler: await this.userKubeconfig('system:kube-scheduler', []),
      },
      serviceCidr,
      podCidr: options.podCidr,
      controllerArgs: options.controllerArgs ?? [],
    });
    // Pods are refused until the default ServiceAccount is there, and only a working controller manager makes it.
    const path = '/api/v1/namespaces/default/serviceaccounts/default';
    const ready = async () => (await this.#client.request('GET', path)) !== undefined;
    for (const daemon of this.#controllers) await daemon.untilReady(ready, CONTROLLERS_READY_MS);
  }

  #file(name: string): string {
    return join(this.dir, name.replaceAll(':', '-'));
  }
}

/** Starts etcd and kube-apiserver, building them first if need be; resolves once they serve. */
export function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  return ControlPlane.start(options);
}
