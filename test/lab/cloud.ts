import { NODES } from '../../kube/resources.ts';
import type { AwsPeer } from '../peers/aws/aws-peer.ts';
import type { PlainObject } from '../peers/aws/plain.ts';
import { type SeededNetwork, seedNetwork } from '../peers/aws/seed-network.ts';
import { startAws } from '../peers/aws/start-aws.ts';
import type { Lab } from './lab.ts';

/** Name of the cluster in AWS' tags, as config/samples/aws has it. */
export const CLUSTER_NAME = 'demo';

/** A call that the operator made. */
export interface CloudCall {
  service: string;
  operation: string;
  code: string | undefined;
}

/** AWS' stand-in beside a lab: a VPC in which each node of the lab is an instance. */
export class LabCloud {
  readonly #peer: AwsPeer;
  readonly network: SeededNetwork;

  private constructor(peer: AwsPeer, network: SeededNetwork) {
    this.#peer = peer;
    this.network = network;
  }

  static async start(lab: Lab): Promise<LabCloud> {
    const times = { provisioningMs: 3_000, initialMs: 2_000, drainScale: 0.1 };
    const peer = await startAws({ times });
    const instances = lab.nodes.length;
    const network = await seedNetwork(peer, { cluster: CLUSTER_NAME, zones: 3, instances, ipv6: true });
    for (const [index, { name }] of lab.nodes.entries()) {
      const providerID = network.instances[index]?.providerID;
      await lab.api.patch(NODES, undefined, name, { spec: { providerID } }, { contentType: 'merge' });
    }
    return new LabCloud(peer, network);
  }

  get endpoint(): string {
    return this.#peer.endpoint;
  }

  get credentials(): { accessKeyId: string; secretAccessKey: string } {
    return this.#peer.credentials;
  }

  /** What the operator called since the last reset, in order. */
  calls(): CloudCall[] {
    return this.#peer.calls.all.map(({ service, operation, code }) => ({ service, operation, code }));
  }

  resetCalls(): void {
    this.#peer.calls.reset();
  }

  /** A call by hand, which isn't counted. */
  async ask(service: 'elb' | 'ec2', operation: string, parameters: PlainObject): Promise<PlainObject> {
    return service === 'elb'
      ? await this.#peer.elb(operation, parameters)
      : await this.#peer.ec2(operation, parameters);
  }
}
