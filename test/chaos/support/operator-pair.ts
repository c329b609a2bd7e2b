import type { KubeClient } from '../../../kube/client.ts';
import { LEASES } from '../../../kube/resources.ts';
import { OperatorProcess } from './operator-process.ts';

const LEASE = [
  '--lease-duration-seconds',
  '5',
  '--renew-deadline-seconds',
  '4',
  '--retry-period-seconds',
  '1',
];

/** Two operators as in a cluster: one leads, the other takes over when it is killed, and another one is started then. */
export class OperatorPair {
  readonly #client: KubeClient;
  readonly #start: () => OperatorProcess;
  readonly #namespace: string;
  #pair: [OperatorProcess, OperatorProcess];

  /** `kubeconfig` is what they run with, `client` the test's own. */
  constructor(client: KubeClient, kubeconfig: string, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
    this.#start = () => OperatorProcess.start(kubeconfig, ['--namespace', namespace, ...LEASE]);
    this.#pair = [this.#start(), this.#start()];
  }

  /** The one that works, once there is one. */
  async leader(): Promise<OperatorProcess> {
    return await Promise.any(
      this.#pair.map(async (operator) => {
        await operator.ready();
        return operator;
      }),
    );
  }

  /** Kills this one; the other needn't wait for its Lease, since it is surely dead. */
  async replace(doomed: OperatorProcess): Promise<void> {
    await doomed.kill();
    await this.#forgetLeader(doomed);
    const [one, other] = this.#pair;
    this.#pair = [doomed === one ? other : one, this.#start()];
  }

  /** The one that leads, or is about to. */
  get elder(): OperatorProcess {
    return this.#pair[0];
  }

  async stop(): Promise<void> {
    await Promise.all(this.#pair.map((each) => each.kill()));
  }

  async #forgetLeader(dead: OperatorProcess): Promise<void> {
    const { items } = await this.#client.list(LEASES, { namespace: this.#namespace });
    const lease = items.find(({ metadata }) => metadata.name === 'fairlead-operator');
    const { uid } = lease?.metadata ?? {};
    if (uid === undefined || lease?.spec?.holderIdentity !== dead.identity) return;
    await this.#client.delete(LEASES, this.#namespace, 'fairlead-operator', { uid });
  }
}
