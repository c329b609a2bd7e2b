/**
 * moto says `loadbalancer/app/` of every load balancer; those of type network are `loadbalancer/net/`, with their listeners.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html#awselasticloadbalancingv2-resources-for-iam-policies
 */
export class NetworkArns {
  /** The 16 hex digits at the end of their ARNs. */
  readonly #ids = new Set<string>();

  /** Of the answer of moto to the creation of a network load balancer. */
  learn(answer: string): void {
    for (const [, id] of answer.matchAll(/:loadbalancer\/app\/[^/<]+\/([0-9a-f]{16})</g)) {
      if (id !== undefined) this.#ids.add(id);
    }
  }

  /** A form body, where `/` and `:` are escaped. */
  toMoto(form: string): string {
    return form.replace(/%3A(loadbalancer|listener|listener-rule)%2Fnet%2F/g, '%3A$1%2Fapp%2F');
  }

  fromMoto(answer: string): string {
    return answer.replace(
      /:(loadbalancer|listener|listener-rule)\/app\/([^/<]+)\/([0-9a-f]{16})/g,
      (arn, kind: string, name: string, id: string) =>
        this.#ids.has(id) ? `:${kind}/net/${name}/${id}` : arn,
    );
  }
}
