import type { Endpoint } from '../../../../kube/objects.ts';
import { ENDPOINT_SLICES, PODS } from '../../../../kube/resources.ts';
import type { Fixture } from '../../operator/support/objects.ts';
import { waitFor } from '../../operator/support/objects.ts';

export interface MadePod {
  name: string;
  address: string;
}

/**
 * Pods of one Service, with what a kubelet and the endpoint controller would say of them: a Pod is ready when its containers
 * are and its gates are open, and its slice says the same.
 */
export class Pods {
  readonly #fixture: Fixture;
  readonly #service: string;
  readonly #gate: string | undefined;
  readonly #pods: MadePod[] = [];

  constructor(fixture: Fixture, service: string, options: { gate?: string } = {}) {
    this.#fixture = fixture;
    this.#service = service;
    this.#gate = options.gate;
  }

  async begin(): Promise<void> {
    const { client, namespace } = this.#fixture;
    // No controller makes it here, and the API server takes no Pod without it.
    await client.request('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, {
      body: { metadata: { name: 'default' } },
    });
    await this.#fixture.make(ENDPOINT_SLICES, {
      metadata: {
        name: this.#service,
        namespace,
        labels: { 'kubernetes.io/service-name': this.#service },
      },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [],
    });
  }

  /** Its containers run at once. */
  async add(name: string, address: string): Promise<MadePod> {
    const { namespace } = this.#fixture;
    await this.#fixture.make(PODS, {
      metadata: { name, namespace, labels: { app: this.#service } },
      spec: {
        automountServiceAccountToken: false,
        containers: [{ name: 'web', image: 'web' }],
        ...(this.#gate === undefined ? {} : { readinessGates: [{ conditionType: this.#gate }] }),
      },
    });
    const pod = { name, address };
    this.#pods.push(pod);
    await this.#say(name, 'ContainersReady', true);
    await this.publish();
    return pod;
  }

  /** It terminates: told by its slice, as long as it's there. */
  async remove(name: string): Promise<void> {
    const { client, namespace } = this.#fixture;
    const at = this.#pods.findIndex((pod) => pod.name === name);
    this.#pods.splice(at, 1);
    await client.delete(PODS, namespace, name);
    await this.publish();
  }

  /** What the endpoint controller would write now. Answers who is ready. */
  async publish(): Promise<string[]> {
    const endpoints: Endpoint[] = [];
    for (const { address, name } of this.#pods) {
      const ready = await this.isReady(name);
      if (this.#gate !== undefined) await this.#say(name, 'Ready', ready);
      endpoints.push({
        addresses: [address],
        conditions: { ready, serving: ready, terminating: false },
        targetRef: { kind: 'Pod', name, namespace: this.#fixture.namespace },
      });
    }
    await this.#fixture.patch(ENDPOINT_SLICES, this.#service, { endpoints });
    return this.#pods
      .filter((_, index) => endpoints[index]?.conditions?.ready === true)
      .map(({ name }) => name);
  }

  async isReady(name: string): Promise<boolean> {
    const conditions = await this.#conditions(name);
    const isTrue = (type: string) => conditions.some((each) => each.type === type && each.status === 'True');
    return isTrue('ContainersReady') && (this.#gate === undefined || isTrue(this.#gate));
  }

  async untilReady(...names: string[]): Promise<void> {
    for (const name of names) {
      await waitFor(
        () => this.isReady(name),
        (ready) => ready,
        `Pod ${name} to be ready`,
        60_000,
      );
    }
    await this.publish();
  }

  async #conditions(name: string): Promise<{ type: string; status: string }[]> {
    const { client, namespace } = this.#fixture;
    const { status } = await client.get(PODS, namespace, name);
    return status?.conditions ?? [];
  }

  /** A manager for each, as an apply gives up what it leaves out. */
  async #say(name: string, type: string, isTrue: boolean): Promise<void> {
    const { client, namespace } = this.#fixture;
    const status = isTrue ? 'True' : 'False';
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      status: { conditions: [{ type, status }] },
    };
    const options = { contentType: 'apply', subresource: 'status', force: true } as const;
    await client.patch(PODS, namespace, name, body, { ...options, fieldManager: `test-${type}` });
  }
}
